"""The help pages that `%%qjob?` and the others show above their options."""

QJOB = """Run the cell's circuit as a governed job.

The cell runs in your namespace as usual; the value of its last expression is what is submitted:
a Qiskit QuantumCircuit, a PennyLane QNode or tape, OpenQASM 2 or 3 text, or a list of circuits.
The policy decides before anything runs; the card shows what ran, how sure the result is, what it
cost, which rules let it pass and where it stands in the ledger. A refusal shows every reason, ends
the cell with an error and assigns nothing.

    %%qjob --backend aer/noisy --shots 4096 --experiment bell -o job
    from qiskit import QuantumCircuit
    qc = QuantumCircuit(2)
    qc.h(0)
    qc.cx(0, 1)
    qc

    %qjob qc --shots 1000           a circuit that you already have
    job.result().counts             the counts, in Qiskit's bit order

Interrupting the cell cancels the job. Without -o the Job is the cell's value (`_`).
"""
QQUOTE = """What a job would cost, before running it; nothing is recorded or held.

    %qquote qc --backend aer/simulator --shots 4096
"""
QEXPLAIN = """Whether a job may run now, with every reason why not: a free dry run.

    %qexplain qc --backend aer/simulator --shots 4096
"""
QJOBS = """Your newest jobs, one job's card, or cancel one.

    %qjobs                      the newest
    %qjobs 4be1c2               the card of the job whose id begins so
    %qjobs --status denied      only the refused ones
    %qjobs --cancel 4be1c2      stop it
"""
QUSAGE = """Who used how much, and what is left of every quota that counts for you."""
QBACKENDS = """Where a job can run, what each backend takes and what it needs."""
QFORM = """Submit a circuit with the mouse: quote and decision follow each change.

    %qform          choose among the circuits of this notebook
    %qform qc       begin with this one
"""
