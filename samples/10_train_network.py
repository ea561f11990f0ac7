"""Trains a small network with tinygrad on several devices, and compares every loss with the same training in NumPy.

    python 10_train_network.py mock:0=50 opencl:0=50 vulkan:0=10 --picture losses.png

A device's id and its number of steps; all devices see the same data and begin with the same weights. Exits with 1 if a loss is
further than a thousandth from NumPy's. Needs the packages qiao, tinygrad and, for the picture, matplotlib.
"""

import argparse
import sys

import numpy as np
import tinygrad

import qiao
import qiao.tinygrad  # noqa: F401: makes the devices QIAO, QIAO:1, ... known to tinygrad

CLASSES, POINTS, HIDDEN, RATE, TOLERANCE = 3, 64, 32, 0.3, 1e-3


def spirals(rng):
    """Points of the plane on three arms of a spiral, and which arm each is on."""
    arm = np.repeat(np.arange(CLASSES), POINTS)
    radius = np.tile(np.linspace(0.05, 1, POINTS), CLASSES)
    angle = 2 * np.pi * arm / CLASSES + 4 * radius + 0.1 * rng.standard_normal(arm.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), arm.astype(np.int32)


def first_weights(rng):
    """Three layers: 2 -> HIDDEN -> HIDDEN -> CLASSES; a matrix and a row of biases for each."""
    weights = []
    for inputs, outputs in ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)):
        weights += [(rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32), np.zeros(outputs, np.float32)]
    return weights


def losses_of_numpy(x, labels, weights, steps):
    """The training by hand: gradients of the mean cross-entropy, steps of plain descent. In double precision."""
    x, (w1, b1, w2, b2, w3, b3) = x.astype(np.float64), (w.astype(np.float64) for w in weights)
    wanted, losses = np.eye(CLASSES)[labels], []
    for _ in range(steps):
        h1 = np.maximum(x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        scores = h2 @ w3 + b3
        scores -= scores.max(axis=1, keepdims=True)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        losses.append(-(wanted * log_p).sum(axis=1).mean())

        d3 = (np.exp(log_p) - wanted) / len(x)
        d2 = (d3 @ w3.T) * (h2 > 0)
        d1 = (d2 @ w2.T) * (h1 > 0)
        for weight, bias, inputs, gradient in ((w3, b3, h2, d3), (w2, b2, h1, d2), (w1, b1, x, d1)):
            weight -= RATE * inputs.T @ gradient
            bias -= RATE * gradient.sum(axis=0)
    return np.array(losses)


def losses_of_tinygrad(device, x, labels, weights, steps):
    """The same, written for tinygrad; `device` is its name for it."""
    x, labels = tinygrad.Tensor(x, device=device), tinygrad.Tensor(labels, device=device)
    w1, b1, w2, b2, w3, b3 = parameters = [tinygrad.Tensor(w, device=device) for w in weights]
    optimizer = tinygrad.nn.optim.SGD(parameters, lr=RATE)

    @tinygrad.TinyJit
    def step():
        optimizer.zero_grad()
        h1 = (x @ w1 + b1).relu()
        h2 = (h1 @ w2 + b2).relu()
        loss = (h2 @ w3 + b3).sparse_categorical_crossentropy(labels).backward()
        return loss.realize(*optimizer.schedule_step())

    with tinygrad.Context(TRAINING=1):
        return np.array([step().item() for _ in range(steps)])


def draw(reference, runs, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    losses.plot(reference, color="black", linewidth=4, alpha=0.3, label="NumPy, double precision")
    for device, found in runs.items():
        losses.plot(found, label=device)
        errors.semilogy(np.abs(found / reference[:len(found)] - 1) + 1e-12, label=device)
    errors.axhline(TOLERANCE, color="black", linewidth=0.7)
    losses.set(xlabel="step", ylabel="loss")
    errors.set(xlabel="step", ylabel="relative distance from NumPy")
    losses.legend()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", default=["mock:0=50"], metavar="DEVICE=STEPS")
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--picture", metavar="FILE")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    (x, labels), weights = spirals(rng), first_weights(rng)
    steps = {device: int(count) for device, count in (run.split("=") for run in options.runs)}
    reference = losses_of_numpy(x, labels, weights, max(steps.values()))
    ids = [device.id for device in qiao.devices()]
    runs, is_good = {}, True
    for device, count in steps.items():
        found = runs[device] = losses_of_tinygrad(f"QIAO:{ids.index(device)}", x, labels, weights, count)
        distance = np.abs(found / reference[:count] - 1).max()
        is_good = is_good and distance <= TOLERANCE
        print(f"{device:10} {count:3} steps, loss {found[0]:.5f} -> {found[-1]:.5f}, at most {distance:.1e} from NumPy")
    if options.picture:
        draw(reference, runs, options.picture)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
