"""The adapter itself: where its key comes from, and what it sends."""

import copy
import json
import pickle
from typing import Any

import pytest
from pydantic import SecretStr

from allm_rx.abc.adapter import Adapter, Call
from allm_rx.adapters.openai.responses.adapter import OpenAI
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted
from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.data.tools import provider_tool
from allm_rx.errors import EngineError, ValidationError
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.provider_server import ProviderServer
