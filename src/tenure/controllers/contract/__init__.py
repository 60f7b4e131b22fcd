"""Contracts: started and measured on their very allocation, signed, watched, ended, and released when all is gone."""

from tenure.controllers.contract.reconcile import ContractReconciler

__all__ = ["ContractReconciler"]
