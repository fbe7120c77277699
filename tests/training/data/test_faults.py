"""What is wrong in people's data."""

import pytest

from training.data.dataset import DataError
from training.data.faults import Faults


def test_a_fault_ends_it_unless_faults_are_skipped(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(DataError, match="row 3"):
        Faults(skip=False).report("row 3")
    faults = Faults(skip=True)
    faults.show()
    assert capsys.readouterr().err == ""
    for row in range(23):
        faults.report(f"row {row}")
    faults.show()
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["23 left out, as --skip-bad says:", *(f"  row {i}" for i in range(20)), "  and 3 more"]
