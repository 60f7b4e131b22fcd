"""A classifier of handwritten digits: the network and one step of its training. Pure but for NumPy.

Every batch follows from the seed and its number alone, so training that goes on from a checkpoint is bit for bit the
training that was never interrupted.
"""

import itertools

import numpy as np

from tenure.catalog.jobs.digits import CLASSES, PIXELS, Array, Digits

MOMENTUM = 0.9
LEARNING_RATE = 0.05


Weights = dict[str, Array]
"""Matrices w0, w1, w2 and rows b0, b1, b2; beside each its velocity, vw0 and so on."""


def initial(seed: int, width: int) -> Weights:
    """A network of two hidden layers, He's initialisation, standing still."""
    source = np.random.default_rng([seed, 1])
    sizes = [PIXELS, width, width, CLASSES]
    weights: Weights = {}
    for layer, (ins, outs) in enumerate(itertools.pairwise(sizes)):
        weights[f"w{layer}"] = source.normal(0, np.sqrt(2 / ins), (ins, outs))
        weights[f"b{layer}"] = np.zeros(outs)
    return weights | {f"v{name}": np.zeros_like(value) for name, value in weights.items()}


def forward(weights: Weights, pictures: Array) -> tuple[Array, Array, Array]:
    """Activations of both hidden layers and the logarithm of each class's probability."""
    first = np.maximum(pictures @ weights["w0"] + weights["b0"], 0)
    second = np.maximum(first @ weights["w1"] + weights["b1"], 0)
    scores = second @ weights["w2"] + weights["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    return first, second, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def step(weights: Weights, data: Digits, seed: int, number: int, batch: int) -> float:
    """One step of stochastic gradient descent with momentum, in place; returns the loss of its batch."""
    chosen = np.random.default_rng([seed, 2, number]).integers(0, len(data.pictures), batch)
    pictures, wanted = data.pictures[chosen], data.shown[chosen]
    first, second, logs = forward(weights, pictures)
    error = np.exp(logs)
    error[np.arange(batch), wanted] -= 1
    error /= batch
    gradients = {"w2": second.T @ error, "b2": error.sum(axis=0)}
    error = (error @ weights["w2"].T) * (second > 0)
    gradients |= {"w1": first.T @ error, "b1": error.sum(axis=0)}
    error = (error @ weights["w1"].T) * (first > 0)
    gradients |= {"w0": pictures.T @ error, "b0": error.sum(axis=0)}
    for name, gradient in gradients.items():
        velocity = weights[f"v{name}"]
        velocity *= MOMENTUM
        velocity -= LEARNING_RATE * gradient
        weights[name] += velocity
    return float(-logs[np.arange(batch), wanted].mean())


def accuracy(weights: Weights, data: Digits) -> float:
    """Share of the digits that the network reads as they were meant."""
    return float((forward(weights, data.pictures)[2].argmax(axis=1) == data.shown).mean())
