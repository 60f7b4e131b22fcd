"""Inquiries: the same answer as a Workload gets, holding nothing, gone after their time to live."""

from tenure.controllers.inquiry.reconcile import InquiryReconciler

__all__ = ["InquiryReconciler"]
