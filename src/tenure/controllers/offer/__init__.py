"""Offers: they expire on time, and when deleted they release what they hold before they go."""

from tenure.controllers.offer.reconcile import OfferReconciler

__all__ = ["OfferReconciler"]
