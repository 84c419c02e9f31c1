"""Random numbers: one stream per topic and region, so that changing one process leaves the others unchanged."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import Bools, Floats, Ints


@dataclass(frozen=True)
class Randomness:
    """The source of all randomness in one region of the company."""

    seed: int
    region: int

    def stream(self, topic: str) -> np.random.Generator:
        """A generator that depends only on seed, region and topic."""
        return np.random.default_rng([self.seed, self.region, zlib.crc32(topic.encode())])


def draw_true(rng: np.random.Generator, probability: Floats | float, count: int) -> Bools:
    """Draw `count` booleans with this probability of true."""
    return rng.random(count) < probability


def draw_index(rng: np.random.Generator, weights: list[float] | Floats, count: int) -> Ints:
    """Draw positions in proportion to weights."""
    share = np.asarray(weights, dtype=float)
    return rng.choice(len(share), size=count, p=share / share.sum()).astype(np.int64)


def draw_per_row(rng: np.random.Generator, weights: Floats) -> Ints:
    """Draw one column per row of a matrix of weights."""
    running = np.cumsum(weights, axis=1)
    aim = rng.random(len(weights)) * running[:, -1]
    column: Ints = np.minimum((running <= aim[:, None]).sum(axis=1), weights.shape[1] - 1).astype(np.int64)
    return column


def sigmoid(values: Floats) -> Floats:
    """Convert log odds to probability."""
    return 1.0 / (1.0 + np.exp(-values))


def repeat_ranges(counts: Ints) -> tuple[Ints, Ints]:
    """Expand counts to rows: each row's parent, and its position among its siblings."""
    parent = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return parent.astype(np.int64), (np.arange(counts.sum()) - np.repeat(starts, counts)).astype(np.int64)
