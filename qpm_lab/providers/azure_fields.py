"""Fields of Azure Quantum's answers in version 2026-01-15-preview of its data plane, by the models of its client.

Held against Microsoft's own recorded answers, 976 of jobs in all states but cancelled and 135 of the machines' status,
of version 2025-12-01-preview (microsoft/azure-quantum-python at 2dd25ea, recordings of its unit tests).

Not looked into are a job's `inputParams`, `metadata` and `tags`, which are ours and come back, its `usage`, which has
no form, a machine's `metadata`, and what an error says beyond code and message.
"""

from __future__ import annotations

from qpm_lab.providers.answers import Known

_PLAIN = ("id", "name", "providerId", "target", "itemType", "jobType", "status", "priority", "tags", "usage")
_OLDER = ("isCancelling", "jobPriority")
"""Still sent; the client's models have them no more."""
_DATA = ("containerUri", "inputDataUri", "inputDataFormat", "inputParams", "outputDataUri", "outputDataFormat")
_TIMES = ("creationTime", "beginExecutionTime", "endExecutionTime", "cancellationTime", "lastModifiedTime")
_WHO = ("createdBy", "createdByType", "lastModifiedBy", "lastModifiedByType", "lastUpdatedTime", "sessionId")
_EVENT = ("dimensionId", "dimensionName", "measureUnit", "amountBilled", "amountConsumed", "unitPrice")
JOB: Known = {
    **dict.fromkeys((*_PLAIN, *_OLDER, *_DATA, *_TIMES, *_WHO, "metadata")),
    "costEstimate": {"currencyCode": None, "estimatedTotal": None, "events": dict.fromkeys(_EVENT)},
    "errorData": dict.fromkeys(("code", "message", "target", "details", "innererror")),
    "quantumComputingData": {"count": None},
}
_QUEUES = ("averageQueueTime", "averageQueueTimeHighPriority", "averageQueueTimeStandardPriority")
_TARGET: Known = dict.fromkeys(
    ("id", "currentAvailability", *_QUEUES, "statusPage", "numQubits", "targetProfile", "metadata")
)
PROVIDERS: Known = {"value": {"id": None, "currentAvailability": None, "targets": _TARGET}, "nextLink": None}
