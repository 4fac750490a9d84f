"""The outcome of a proof, as it is read."""

from crq.hw.verify.proofs.proof import Proof


def test_a_proof_says_whether_it_passed_what_it_saw_and_what_it_did_not_see() -> None:
    assert str(Proof("sources", True, "12 files")) == "passed: sources: 12 files"
    assert str(Proof("sources", False, "a.h:3: new")) == "FAILED: sources: a.h:3: new"
    covered = Proof("accumulators", True, "1 of 3 layers", ("fc", "conv"))
    assert str(covered) == "PARTLY: accumulators: 1 of 3 layers; not covered: fc, conv"
