"""Traces: one decision of a server and the facts it was based on, without secrets, to be read and replayed."""

from oauthcore.trace.recorder import Recorder
from oauthcore.trace.replay import Replayed, replay
from oauthcore.trace.trace import Step, Trace

__all__ = ["Recorder", "Replayed", "Step", "Trace", "replay"]
