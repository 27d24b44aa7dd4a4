"""Records in Redis or Valkey, alone or in a cluster: a commit is one script, and what has expired goes by itself."""

from oauthcore.flow.storage import DurabilityWarning
from oauthcore_redis.address import shown
from oauthcore_redis.storage import AsyncRedisStorage, RedisStorage

__all__ = ["AsyncRedisStorage", "DurabilityWarning", "RedisStorage", "shown"]
