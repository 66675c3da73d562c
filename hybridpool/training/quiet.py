"""A run whose steps read nothing from the device, because a GPU waits while it is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import Trials
from hybridpool.training.loop import Training
from hybridpool.training.records import Run, RunSettings

#: Passes before a graph is captured, in which libraries choose their algorithms.
_WARM = 3


class QuietTraining(Training):
    """`Training` for one GPU: losses and blend weights stay on it until the end of an epoch.

    On CUDA the forward and backward pass of a step are captured once as a graph and then replayed
    as a whole; only the steps whose blend weights are noted, about thirty in a run, are launched
    operation by operation. The numbers are those of `Training`, on a GPU up to rounding.

    Args:
        settings: What decides the numbers; one part.
        dataset: Pictures, on the device on which the network learns.
        checkpoint: Where to save the state; a state that is there already is continued.

    Raises:
        ValueError: If the batch is divided or the run shared, or as `Training` does.

    Example:
        >>> pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
        >>> few = Dataset("nothing", pictures, torch.arange(4), pictures, torch.arange(4))
        >>> training = QuietTraining(RunSettings(train_pictures=4, batch_size=2, epochs=1), few)
        >>> [step for step in training.steps()], training.done
        ([1, 2], True)
    """

    def __init__(
        self, settings: RunSettings, dataset: Dataset, checkpoint: Path | None = None
    ) -> None:
        super().__init__(settings, dataset, checkpoint)
        if settings.parts > 1 or self.world > 1:
            raise ValueError("A quiet run is one process with batches in one part: choose 1 part.")
        self._learning = [p for p in self.model.parameters() if p.requires_grad]
        self._lost = torch.zeros((), dtype=torch.float64, device=self.device)
        self._notes: list[tuple[int, dict[str, Tensor]]] = []
        self._began: float | None = None
        self._timed = len(self.step_seconds)
        #: The inputs of the graph: places in the training set, and the changes of this epoch.
        self._part = torch.zeros(self.batch_size, dtype=torch.long, device=self.device)
        self._changes: tuple[Tensor, Tensor] | None = None
        self._seen: tuple[Tensor, Tensor] | None = None
        self._replay: Callable[[], Tensor] | None = None
        #: The outputs of the graph: the gradients.
        self._gradients: list[Tensor | None] = []
        #: Why there is no graph although the device could have one.
        self.without_graph = "" if self.device.type == "cuda" else "no CUDA"

    def _take_step(self, chosen: Tensor, changes: tuple[Tensor, Tensor] | None) -> float:
        """One step; its loss is added up on the device."""
        if self._began is None:
            self._began = time.perf_counter()
        if not self.model.training:
            self.model.train()
        noted = self._to_be_noted()
        if self._replay is None and not noted and not self.without_graph:
            self._prepare_graph(chosen, changes)
        if self._replay is None or noted:
            self._set_gradients([None] * len(self._learning))
            if noted:
                with self._noting():
                    loss = self._loss(chosen, changes)
            else:
                loss = self._loss(chosen, changes)
            torch.autograd.backward(loss)
        else:
            self._set_gradients(self._gradients)
            self._show_to_graph(chosen, changes)
            loss = self._replay()
        self._lost += loss.detach()
        for optimizer, scheduler in zip(self.optimizers, self.schedulers, strict=True):
            optimizer.step()
            scheduler.step()
        return 0.0

    def _set_gradients(self, gradients: list[Tensor | None]) -> None:
        for parameter, gradient in zip(self._learning, gradients, strict=True):
            parameter.grad = gradient

    def _show_to_graph(self, chosen: Tensor, changes: tuple[Tensor, Tensor] | None) -> None:
        """Put a step's pictures where the graph looks for them."""
        self._part.copy_(chosen)
        if changes is None or changes is self._seen:
            return
        if self._changes is None:
            self._changes = changes[0].clone(), changes[1].clone()
        for own, new in zip(self._changes, changes, strict=True):
            own.copy_(new)
        self._seen = changes

    def _prepare_graph(self, chosen: Tensor, changes: tuple[Tensor, Tensor] | None) -> None:
        """Capture the passes of a step; a GPU that cannot do that launches every operation."""
        buffers = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        self._show_to_graph(chosen, changes)
        try:
            self._replay = self._capture()
            self._gradients = [parameter.grad for parameter in self._learning]
        except RuntimeError as error:
            self.without_graph = str(error).partition("\n")[0]
        # The passes before it moved the statistics of batch normalisation.
        for name, buffer in self.model.named_buffers():
            buffer.copy_(buffers[name])

    def _capture(self) -> Callable[[], Tensor]:
        """Capture passes over what `_show_to_graph` provides, as one call that fills gradients."""
        current = torch.cuda.current_stream()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(_WARM):
                self._set_gradients([None] * len(self._learning))
                torch.autograd.backward(self._loss(self._part, self._changes))
        current.wait_stream(side)
        self._set_gradients([None] * len(self._learning))
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = self._loss(self._part, self._changes)
            torch.autograd.backward(loss)

        def replay() -> Tensor:
            graph.replay()
            return loss

        return replay

    def _write_down(self, step: int, noted: Mapping[str, Tensor]) -> None:
        self._notes.append((step, {name: values.clone() for name, values in noted.items()}))

    def _fetch(self) -> None:
        """Read from the device what was left there, and the time until it was ready."""
        self.loss += self._lost.item()
        self._lost.zero_()
        for step, noted in self._notes:
            super()._write_down(step, noted)
        self._notes.clear()
        if self._began is None:
            return
        count = len(self.step_seconds) - self._timed
        taken = time.perf_counter() - self._began
        self.seconds += taken - sum(self.step_seconds[self._timed :])
        self.step_seconds[self._timed :] = [taken / count] * count
        self._timed, self._began = len(self.step_seconds), None

    def _end_epoch(self, epoch: int) -> bool:
        self._fetch()
        return super()._end_epoch(epoch)

    def save(self) -> None:
        """Keep the state in the checkpoint, as `Training.save` does."""
        self._fetch()
        super().save()

    def result(self, trials: Trials | None, command: str) -> Run:
        """What was found, as `Training.result` says, and how the steps were taken."""
        self._fetch()
        run = super().result(trials, command)
        how = f"each operation ({self.without_graph})" if self.without_graph else "graph"
        return replace(run, environment={**run.environment, "steps": how})
