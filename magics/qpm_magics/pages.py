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

A circuit with parameters runs through their values in one job; two sweeps make a grid, and the
values may be a list or array of yours:

    %%qjob --sweep 'theta=linspace(0, 2*pi, 100)' --parameter phi=pi/2 -o job
    %%qjob --sweep 'theta=linspace(0, pi, 20)' --sweep 'phi=[0.1, 0.2, 0.5]'
    %qjob qc --sweep theta=angles
    job.result().to_frame()         one table of all points

A recorded job once more, as a job of its own; only what you name differs:

    %qjob --again 4be1c2 --shots 12000

Interrupting the cell cancels the job. Without -o the Job is the cell's value (`_`).
"""
QQUOTE = """What a job would cost, before running it; nothing is recorded or held.

    %qquote qc --backend aer/simulator --shots 4096
"""
QEXPLAIN = """Whether a job may run now, with every reason why not: a free dry run.

    %qexplain qc --backend aer/simulator --shots 4096
    %qexplain qc --backend auto --route     every backend of a route: price, rules, wait, rank
"""
QJOBS = """Your newest jobs, one job's card, or cancel one.

    %qjobs                      the newest
    %qjobs 4be1c2               the card of the job whose id begins so
    %qjobs --status denied      only the refused ones
    %qjobs --cancel 4be1c2      stop it
"""
QUSAGE = """Who used how much, and what is left of every quota that counts for you."""
QBACKENDS = """Where a job can run, what each backend takes and what it needs."""
QSESSION = """An envelope for a loop: it is reserved once, drawn down by every job, and never exceeded.

    %qsession                                   the open session, or what this kernel may use
    %qsession --max-cost 5 --max-jobs 200       open one; the step that does not fit is refused
    %qsession --close                           close it and see what it used

In Python: with lab.session(max_cost="5", max_jobs=200) as session: session.submit(qc)
"""
QFORM = """Submit a circuit with the mouse: quote and decision follow each change.

    %qform          choose among the circuits of this notebook
    %qform qc       begin with this one
"""
QPLAN = """How many shots make the fidelity as exact as you need, and what that costs on which backends.

    %qplan qc --half-width 0.02                               every backend that can run or be quoted
    %qplan qc --half-width 0.02 --backends aer/noisy,ionq/qpu.forte-1
    %qplan qc --half-width 0.02 --twirl readout

Nothing is recorded or held. The shots are for the worst case, whatever the machine does; fewer are
shown beside them where a fidelity can be predicted from reported errors. Each row says whether the
rules would allow it and what to write. Where the ideal outcomes are almost uniform no number of
shots would do, and the page says so.
"""
QCOMPARE = """Are runs the same? Not "no difference was found", but "closer than what matters".

    %qcompare 4be1c2 9f02aa 1d77e0       completed jobs, by the beginnings of their ids
    %qcompare first second               variables that hold Jobs
    %qcompare --experiment bell --last 3 the latest runs of an experiment

The verdict is `equivalent` when every pair is closer than --delta, wrong at most as often as --alpha
says; `different` when a pair is further apart; else `inconclusive`, with the shots that would
settle it and their price. In Python: lab.compare([first, second])["verdict"].
"""
QCANARY = """Has the machine drifted? A known circuit, run when you ask, watched by a sequential test.

    %qcanary aer/noisy                   run one canary and see the history
    %qcanary aer/noisy --history         only see it
    %qcanary aer/noisy --circuit qc      your own circuit: shots with favoured outcomes count
    %qcanary aer/noisy --reset           begin a new baseline, for example after a calibration

The first five canaries of a backend, circuit and number of shots are the baseline. From then on, on
average, at most one false alarm comes in --arl canaries while the share of successes stays above the
baseline's less --tolerance. Each canary is a governed job; one that fails or is refused is not part
of the history, nor is a simulation with the --seed of an earlier one.
"""
QSECRET = """The keys of providers, by name. A value is never part of a cell: it is asked for without echo.

    %qsecret                             names, and which store has each
    %qsecret set ionq                    asks for the key and keeps it
    %qsecret set braket/secret_access_key    a provider with several fields
    %qsecret delete ionq

A key is kept in the keyring of the operating system where there is one, else in a file readable by
you only. Keys are also found in mounted files (QPM_SECRETS_DIR) and in the environment, for example
QPM_SECRET_IONQ.
"""
