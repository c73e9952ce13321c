"""The program that tries wheels works here too."""

from __future__ import annotations

import pytest
import smoke


def test_the_package_remembers_and_recalls(capsys: pytest.CaptureFixture[str]) -> None:
    smoke.main()
    assert "allergic to peanuts" in capsys.readouterr().out
