"""Failures of the suite show their values, as those of tests do."""

import pytest

pytest.register_assert_rewrite("allm_rx.testing.conformance")
