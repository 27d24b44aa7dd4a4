"""Traces: what a server decided about one request and why, without its secrets, to be read and to be played again."""

from oauthcore.trace.recorder import Recorder
from oauthcore.trace.replay import Replayed, replay
from oauthcore.trace.trace import Step, Trace

__all__ = ["Recorder", "Replayed", "Step", "Trace", "replay"]
