"""One run from its settings to its result, with a progress bar, until it ends or is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import Trials
from hybridpool.training.loop import Training
from hybridpool.training.records import Run, RunSettings


def until_interrupted(training: Training, checkpoint_every: int = 200) -> Iterator[int]:
    """The steps of a run; Ctrl-C lets a step end and keeps the state before it takes effect.

    Example:
        >>> import torch
        >>> pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
        >>> few = Dataset("nothing", pictures, torch.arange(4), pictures, torch.arange(4))
        >>> settings = RunSettings(train_pictures=4, batch_size=2, epochs=1)
        >>> list(until_interrupted(Training(settings, few)))
        [1, 2]
    """
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    # Python handles signals only in its main thread. Processes that share a run stop at once,
    # because one that waited for a step of the others would wait for ever.
    heard = threading.current_thread() is threading.main_thread() and training.world == 1
    before = signal.signal(signal.SIGINT, ask) if heard else None
    try:
        for step in training.steps(checkpoint_every):
            if asked:
                training.save()
                break
            yield step
        if asked:
            raise KeyboardInterrupt
    finally:
        if heard:
            signal.signal(signal.SIGINT, before)


def run(
    settings: RunSettings,
    dataset: Dataset,
    trials: Trials | None,
    *,
    command: str = "",
    checkpoint: Path | None = None,
    progress: bool = True,
) -> tuple[Run, nn.Module]:
    """Train one network to the end and measure it.

    Args:
        settings: What decides the numbers.
        dataset: Pictures, on the device on which the network learns.
        trials: The changed pictures, or None for accuracy alone.
        command: The command that repeats the run, for the result.
        checkpoint: Where to save the state; a state that is there already is continued.
        progress: Whether to show a bar.

    Returns:
        The result, and the network.

    Raises:
        RunFailed: If the run diverged or its checkpoint is damaged.
        CannotWrite: If its state cannot be saved.
        KeyboardInterrupt: At Ctrl-C, once the state is saved.

    Example:
        >>> import torch
        >>> pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
        >>> few = Dataset("nothing", pictures, torch.arange(4), pictures, torch.arange(4))
        >>> settings = RunSettings(train_pictures=4, batch_size=2, epochs=2)
        >>> len(run(settings, few, None, progress=False)[0].history)
        2
    """
    # A machine that only trains, with `hybridpool.training.quiet`, may lack tqdm.
    from tqdm import tqdm

    training = Training(settings, dataset, checkpoint)
    hidden = not progress or training.rank > 0
    with tqdm(
        total=training.total, initial=training.step, desc=settings.name, disable=hidden, leave=False
    ) as bar:
        for step in until_interrupted(training):
            bar.update(step - bar.n)
            if training.history:
                known = training.history[-1].train_accuracy
                bar.set_postfix_str(f"{known:.1%} of training pictures", refresh=False)
    return training.result(trials, command), training.model
