"""A classifier of two interleaved spirals: data set, network and one step of its training. Pure but for NumPy.

The task is the two-spirals problem (K. Lang and M. Witbrock, "Learning to tell two spirals apart", 1988). The data set
is made here, always the same for a seed. Every batch follows from the seed and its number alone, so training that goes
on from a checkpoint is bit for bit the training that was never interrupted.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POINTS = 2_000
TURNS = 1.75
NOISE = 0.02
MOMENTUM = 0.9
LEARNING_RATE = 0.05
INPUTS, CLASSES = 2, 2


@dataclass(frozen=True)
class Points:
    """Places in the plane, shape (n, 2), and which spiral each is of, shape (n,), 0 or 1."""

    places: Array
    spirals: NDArray[np.int64]


def spirals(seed: int, points: int = POINTS) -> Points:
    """`points` places, half on each spiral, with a little noise."""
    source = np.random.default_rng([seed, 0])
    half = points // 2
    along = np.sqrt(source.uniform(0.02, 1, half))
    angle = along * TURNS * 2 * np.pi
    arm = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    places = np.concatenate([arm, -arm]) + source.normal(0, NOISE, (2 * half, 2))
    return Points(places, np.repeat(np.arange(2), half))


Weights = dict[str, Array]
"""Matrices w0, w1, w2 and rows b0, b1, b2; beside each its velocity, vw0 and so on."""


def initial(seed: int, width: int) -> Weights:
    """A network of two hidden layers, He's initialisation, standing still."""
    source = np.random.default_rng([seed, 1])
    sizes = [INPUTS, width, width, CLASSES]
    weights: Weights = {}
    for layer, (ins, outs) in enumerate(itertools.pairwise(sizes)):
        weights[f"w{layer}"] = source.normal(0, np.sqrt(2 / ins), (ins, outs))
        weights[f"b{layer}"] = np.zeros(outs)
    return weights | {f"v{name}": np.zeros_like(value) for name, value in weights.items()}


def forward(weights: Weights, places: Array) -> tuple[Array, Array, Array]:
    """Activations of both hidden layers and the logarithm of each class's probability."""
    first = np.maximum(places @ weights["w0"] + weights["b0"], 0)
    second = np.maximum(first @ weights["w1"] + weights["b1"], 0)
    scores = second @ weights["w2"] + weights["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    return first, second, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def step(weights: Weights, data: Points, seed: int, number: int, batch: int) -> float:
    """One step of stochastic gradient descent with momentum, in place; returns the loss of its batch."""
    chosen = np.random.default_rng([seed, 2, number]).integers(0, len(data.places), batch)
    places, wanted = data.places[chosen], data.spirals[chosen]
    first, second, logs = forward(weights, places)
    error = np.exp(logs)
    error[np.arange(batch), wanted] -= 1
    error /= batch
    gradients = {"w2": second.T @ error, "b2": error.sum(axis=0)}
    error = (error @ weights["w2"].T) * (second > 0)
    gradients |= {"w1": first.T @ error, "b1": error.sum(axis=0)}
    error = (error @ weights["w1"].T) * (first > 0)
    gradients |= {"w0": places.T @ error, "b0": error.sum(axis=0)}
    for name, gradient in gradients.items():
        velocity = weights[f"v{name}"]
        velocity *= MOMENTUM
        velocity -= LEARNING_RATE * gradient
        weights[name] += velocity
    return float(-logs[np.arange(batch), wanted].mean())


def accuracy(weights: Weights, data: Points) -> float:
    """Share of the points that the network tells apart."""
    return float((forward(weights, data.places)[2].argmax(axis=1) == data.spirals).mean())
