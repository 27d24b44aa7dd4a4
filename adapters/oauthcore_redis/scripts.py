"""The scripts that run in the server, in Lua: each is one atomic step.

What a script has written stays written if it fails half way: Redis rolls nothing back. So whatever can fail is done
before the first write. A key of another type fails where it is looked at. A full memory (OOM), a read-only replica and
a disk that can't be written to (MISCONF) fail at the first write, and by the server's own rule never at a later one. A
command that the user may not use, or that the operator has taken away, fails wherever it stands: so SET is tried where
it changes nothing, and what has to be in the indexes goes in before the first record changes. A line too many there
does no harm: it leads to no record, or to another person's.
"""

from __future__ import annotations

import hashlib

import attrs


@attrs.frozen
class Script:
    """Hold a script, and the digest that a server which has seen it knows it by (EVALSHA)."""

    text: bytes
    digest: bytes

    @classmethod
    def of(cls, text: str) -> Script:
        """Make a script of its text."""
        encoded = text.encode()
        return cls(encoded, hashlib.sha1(encoded, usedforsecurity=False).hexdigest().encode())


# KEYS: the records, then the indexes. ARGV: how long an expired record stays, and how many records there are; for each
# record what has to be there (blank: nothing), what is there afterwards (blank: nothing, "=": the same) and when that
# expires (blank: never); for each entry in an index the index, the member, and when it expires ("-": it is removed).
# Times are in milliseconds. Returns 1 when it is done and 0 when a precondition failed; or, where there is other text
# than expected, which may still be the same record in an older spelling, each such record's number and its text.
COMMIT = Script.of("""\
local linger, records = tonumber(ARGV[1]), tonumber(ARGV[2])
local entries = 3 + 3 * records
local other = {}
for i = 1, records do
    local stored, expected = redis.call('GET', KEYS[i]) or '', ARGV[3 * i]
    if stored ~= expected then
        if stored == '' or expected == '' then
            return 0
        end
        other[#other + 1] = i
        other[#other + 1] = stored
    end
end
if #other > 0 then
    return other
end
for i = records + 1, #KEYS do
    redis.call('ZCARD', KEYS[i])
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function stays(expires_at)
    return math.max(tonumber(expires_at) - now, 0) + linger
end
local function spelled(milliseconds)
    return string.format('%.0f', milliseconds)
end
local function tidy(index)
    redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. spelled(now))
    local last = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')[2]
    if last == 'inf' then
        redis.call('PERSIST', index)
    elseif last then
        redis.call('PEXPIREAT', index, spelled(tonumber(last)))
    end
end

for i = 1, records do
    local after = ARGV[3 * i + 1]
    if after ~= '' and after ~= '=' then
        redis.call('SET', KEYS[i], after, ARGV[3 * i] == '' and 'XX' or 'NX')
        break
    end
end
for i = entries, #ARGV, 3 do
    local index, member, expires_at = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
    if expires_at == '' then
        redis.call('ZADD', index, '+inf', member)
    elseif expires_at ~= '-' then
        redis.call('ZADD', index, spelled(now + stays(expires_at)), member)
    end
end
for i = records + 1, #KEYS do
    tidy(KEYS[i])
end
for i = 1, records do
    if ARGV[3 * i + 1] == '' and ARGV[3 * i] ~= '' then
        redis.call('DEL', KEYS[i])
    end
end
for i = 1, records do
    local after, expires_at = ARGV[3 * i + 1], ARGV[3 * i + 2]
    if after ~= '' and after ~= '=' and expires_at == '' then
        redis.call('SET', KEYS[i], after)
    elseif after ~= '' and after ~= '=' then
        redis.call('SET', KEYS[i], after, 'PX', spelled(stays(expires_at)))
    end
end
for i = entries, #ARGV, 3 do
    if ARGV[i + 2] == '-' then
        redis.call('ZREM', KEYS[tonumber(ARGV[i])], ARGV[i + 1])
        tidy(KEYS[tonumber(ARGV[i])])
    end
end
return 1
""")

# KEYS: an index. ARGV: what the names of the records in it begin with. Returns the text of each that is left. The
# records' keys are in the index, so they can't be named in KEYS; they are in its hash slot, which is what it takes.
FIND_OF = Script.of("""\
local found = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local text = redis.call('GET', ARGV[1] .. member)
    if text then
        found[#found + 1] = text
    end
end
return found
""")

# KEYS: records and indexes. ARGV: before when a record has to have expired, in seconds; how many may be removed; how
# long an expired record stays, in milliseconds. Returns how many were removed. An index is rid of what has gone.
PURGE = Script.of("""\
local before, limit, linger = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function has_expired(key)
    local left = redis.call('PTTL', key)
    if left < 0 then
        return false
    end
    -- What is to expire stays until then and `linger` longer, so that its second follows. What had expired when it was
    -- written stays for `linger` from then; that and what is near has to be looked at.
    if left > linger + 1000 then
        return math.floor((now + left - linger) / 1000 + 0.5) < before
    end
    local read, record = pcall(cjson.decode, redis.call('GET', key) or '')
    return read and type(record) == 'table' and type(record.expires_at) == 'number' and record.expires_at < before
end

local removed = 0
for _, key in ipairs(KEYS) do
    if redis.call('TYPE', key).ok == 'zset' then
        redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. string.format('%.0f', now))
    elseif removed < limit and redis.call('TYPE', key).ok == 'string' and has_expired(key) then
        removed = removed + redis.call('DEL', key)
    end
end
return removed
""")
