"""Workloads: from a declared need to held offers, from a chosen offer to a contract, and what became of it."""

from tenure.controllers.workload.reconcile import WorkloadReconciler

__all__ = ["WorkloadReconciler"]
