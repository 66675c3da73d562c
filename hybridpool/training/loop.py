"""Train one network, across interruptions and processes, and return its result."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import OneCycleLR

from hybridpool.training.arms import blend_parameters, blend_weights, blends
from hybridpool.training.checkpoints import (
    DamagedCheckpoint,
    Diverged,
    damaged,
    read_checkpoint,
)
from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import (
    Trials,
    accuracy,
    crop_and_mirror,
    measure,
    normalise_batches,
    pad,
    preparation,
)
from hybridpool.training.files import write_whole
from hybridpool.training.machine import environment
from hybridpool.training.networks import build_network, count_operations
from hybridpool.training.optimizers import optimizers
from hybridpool.training.reading import LARGEST
from hybridpool.training.records import LATER, Costs, Epoch, Run, RunSettings

# The buffers of each process are its own. PyTorch 2.14 gave the option another name.
_RENAMED = "forward_sync_buffers" in signature(DistributedDataParallel).parameters
_OWN_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if _RENAMED else "broadcast_buffers": False,
}
#: How often in a run blend weights are noted, and accuracies at the ends of epochs.
_NOTES = 30
_MEASURES = 10
#: Digits of a blend weight that are kept.
_DIGITS = 6
#: How many training pictures are measured between epochs; at the end there are more.
_SAMPLE = 2000
#: On how many training pictures the blend weights of the finished network are noted.
_NOTED_PICTURES = 512


class Training:
    """A run that can be stopped after any step and continued from its checkpoint.

    Args:
        settings: What decides the numbers.
        dataset: Pictures, on the device on which the network learns.
        checkpoint: Where to save the state; a state that is there already is continued.

    Raises:
        ValueError: If the batch cannot be divided as asked, or the checkpoint is of another run.
        DamagedCheckpoint: If it cannot be read.

    With several processes (``torch.distributed`` is initialised) each takes its share of every
    batch. Batch normalisation looks at each of the batch's `parts` alone, so two processes learn
    the same as one with ``parts=2``.

    Example:
        >>> pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
        >>> few = Dataset("nothing", pictures, torch.arange(4), pictures, torch.arange(4))
        >>> training = Training(RunSettings(train_pictures=4, batch_size=2, epochs=1), few)
        >>> [step for step in training.steps()], training.done
        ([1, 2], True)
    """

    def __init__(
        self, settings: RunSettings, dataset: Dataset, checkpoint: Path | None = None
    ) -> None:
        self.settings = settings
        #: Of all pictures, because with the settings it decides which are used.
        self.digest = dataset.digest
        if settings.held_out:
            dataset = dataset.split(settings.held_out)
        self.dataset = dataset.first(settings.train_pictures)
        self.prepare = preparation(self.dataset)
        self.device = dataset.train.device
        self.checkpoint = checkpoint
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.batch_size = min(settings.batch_size, settings.train_pictures)
        if settings.parts % self.world or self.batch_size % settings.parts:
            raise ValueError(
                f"A batch of {self.batch_size} in {settings.parts} parts cannot be shared by "
                f"{self.world} processes: choose parts that divide the batch and that the number "
                "of processes divides."
            )
        self.steps_per_epoch = settings.train_pictures // self.batch_size
        self.total = self.steps_per_epoch * settings.epochs
        self.model = build_network(
            settings.network,
            settings.arm,
            settings.seed,
            len(dataset.classes),
            width=settings.width,
            start=settings.blend_start,
            frozen_at=settings.frozen_at,
        ).to(self.device)
        self.parallel: nn.Module = self.model
        if self.world > 1:
            self.parallel = DistributedDataParallel(self.model, **_OWN_BUFFERS)
        self.optimizers = optimizers(self.model, settings)
        rates = (settings.learning_rate, settings.blend_rate)
        self.schedulers = [
            OneCycleLR(optimizer, rate, total_steps=self.total, cycle_momentum=False)
            for optimizer, rate in zip(self.optimizers, rates, strict=False)
        ]
        self.padded = pad(self.dataset.train, settings.shift, settings.edge)
        self.step = 0
        self.loss = 0.0
        self.seconds = 0.0
        self.step_seconds: list[float] = []
        self.history: list[Epoch] = []
        self.weight_steps: list[int] = []
        self.weights: dict[str, list[tuple[float, ...]]] = {}
        self.kept_for_backward = 0
        #: On the test pictures, once they have been measured.
        self.accuracy: float | None = None
        if checkpoint is not None and checkpoint.is_file():
            self._load(checkpoint)

    @property
    def done(self) -> bool:
        """Whether the last step has been taken."""
        return self.step == self.total

    def steps(self, checkpoint_every: int = 200) -> Iterator[int]:
        """Take the steps that are left, one by one, and save the state now and then."""
        order, changes = self._draw(self.step // self.steps_per_epoch)
        while not self.done:
            epoch, within = divmod(self.step, self.steps_per_epoch)
            if within == 0:
                order, changes = self._draw(epoch)
            chosen = order[within * self.batch_size : (within + 1) * self.batch_size]
            started = time.perf_counter()
            self.loss += self._take_step(chosen, changes)
            self.step_seconds.append(time.perf_counter() - started)
            self.seconds += self.step_seconds[-1]
            self.step += 1
            measured = within == self.steps_per_epoch - 1 and self._end_epoch(epoch + 1)
            if measured or self.step % checkpoint_every == 0:
                self.save()
            yield self.step

    def _draw(self, epoch: int) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """The order of the pictures in an epoch, and how each is cut and mirrored."""
        count = self.settings.train_pictures
        generator = torch.Generator().manual_seed(1_000_003 * self.settings.seed + epoch)
        order = torch.randperm(count, generator=generator).to(self.device)
        if not self.settings.augment:
            return order, None
        corners = torch.randint(2 * self.settings.shift + 1, (count, 2), generator=generator)
        mirrored = torch.rand(count, generator=generator) < 0.5
        return order, (corners.to(self.device), mirrored.to(self.device))

    def _take_step(self, chosen: Tensor, changes: tuple[Tensor, Tensor] | None) -> float:
        """One step of the optimizer; returns the mean loss of this process's share."""
        self.parallel.train()
        parts = chosen.chunk(self.settings.parts)[self.rank :: self.world]
        total = 0.0
        with self._noting() if self._to_be_noted() else nullcontext(), ExitStack() as kept:
            if self.step == 0 and self.device.type == "cpu":
                kept.enter_context(self._counting_what_is_kept())
            for number, part in enumerate(parts):
                last = number == len(parts) - 1
                alone = isinstance(self.parallel, DistributedDataParallel) and not last
                with self.parallel.no_sync() if alone else nullcontext():  # type: ignore[operator]
                    loss = self._loss(part, changes) / len(parts)
                    torch.autograd.backward(loss)
                total += loss.item()
        for optimizer, scheduler in zip(self.optimizers, self.schedulers, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
        return total

    def _to_be_noted(self) -> bool:
        return self.step % max(1, self.total // _NOTES) == 0 or self.step == self.total - 1

    def _loss(self, part: Tensor, changes: tuple[Tensor, Tensor] | None) -> Tensor:
        if changes is None:
            pictures = self.dataset.train[part]
        else:
            side = self.dataset.train.shape[-1]
            pictures = crop_and_mirror(self.padded[part], changes[0][part], changes[1][part], side)
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            scores = self.parallel(self.prepare(pictures))
        labels = self.dataset.train_labels[part]
        return F.cross_entropy(scores.float(), labels, label_smoothing=self.settings.smoothing)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Write down the blend weights that the next pass through the network uses."""
        noted: dict[str, Tensor] = {}

        def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
            def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
                noted[name] = blend_weights(module, args[0])  # type: ignore[arg-type]

            return note

        layers = blends(self.model)
        hooks = [layer.register_forward_pre_hook(hook(name)) for name, layer in layers.items()]
        try:
            yield
        finally:
            for handle in hooks:
                handle.remove()
        if layers:
            self._write_down(self.step, noted)

    def _write_down(self, step: int, noted: Mapping[str, Tensor]) -> None:
        for name, values in noted.items():
            rounded = tuple(round(value, _DIGITS) for value in values.tolist())
            self.weights.setdefault(name, []).append(rounded)
        self.weight_steps.append(step)

    @contextmanager
    def _counting_what_is_kept(self) -> Iterator[None]:
        """Count the bytes that autograd keeps from the forward to the backward pass."""
        seen: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            yield
        self.kept_for_backward = sum(seen.values())

    def _end_epoch(self, epoch: int) -> bool:
        """Measure the network, but not after each of many short epochs."""
        mean_loss, self.loss = self.loss / self.steps_per_epoch, 0.0
        loss = torch.tensor(mean_loss, dtype=torch.float64)
        if self.world > 1:
            loss = loss.to(self.device)
            dist.all_reduce(loss)
            loss /= self.world
        if not loss.abs() <= LARGEST:
            raise Diverged(
                f"{self.settings.name} diverged in epoch {epoch}: its loss is no number"
                f"{' that can be kept' * bool(loss.isfinite())}. Choose a smaller learning rate."
            )
        if (self.settings.epochs - epoch) % max(1, self.settings.epochs // _MEASURES):
            return False
        normalise_batches(self.model, self.dataset.train, self.prepare)
        seen = self.dataset.train[:_SAMPLE], self.dataset.train_labels[:_SAMPLE]
        held_out = self.dataset.test, self.dataset.test_labels
        self.history.append(
            Epoch(
                epoch,
                loss.item(),
                accuracy(self.model, *seen, self.prepare),
                accuracy(self.model, *held_out, self.prepare) if self.settings.held_out else None,
                self.seconds,
            )
        )
        if self.done:
            # The weights of the measured network, on the same training pictures in every run.
            with self._noting(), torch.no_grad():
                self.model.eval()(self.prepare(seen[0][:_NOTED_PICTURES]))
        return True

    def _state(self) -> dict[str, Any]:
        return {
            "settings": asdict(self.settings),
            "data": self.dataset.name,
            "digest": self.digest,
            "classes": list(self.dataset.classes),
            "mean": list(self.dataset.mean),
            "std": list(self.dataset.std),
            "side": self.dataset.train.shape[-1],
            "name": self.settings.name,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
            "history": [asdict(epoch) for epoch in self.history],
            **{name: getattr(self, name) for name in _PLAIN},
        }

    def save(self) -> None:
        """Save the state in the checkpoint, if there is one.

        Raises:
            CannotWrite: If it cannot be written; the checkpoint is then as it was before.
        """
        if self.checkpoint is None or self.rank:
            return
        # In memory first, so that an error of the disk is an OSError.
        kept = io.BytesIO()
        torch.save(self._state(), kept)
        write_whole(self.checkpoint, kept.getvalue())

    def _load(self, path: Path) -> None:
        state = read_checkpoint(path, self.device)
        asked = {
            "settings": asdict(self.settings),
            "data": self.dataset.name,
            "digest": self.digest,
            "classes": list(self.dataset.classes),
        }
        # Older checkpoints lack the digest.
        kept = asked | state | {"settings": LATER | state["settings"]}
        if any(kept[name] != value for name, value in asked.items()):
            raise ValueError(
                f"{path} is the checkpoint of a run with other settings or other data: remove it, "
                "or keep checkpoints elsewhere."
            )
        try:
            self.model.load_state_dict(state["model"])
            for name in ("optimizers", "schedulers"):
                for each, saved in zip(getattr(self, name), state[name], strict=True):
                    each.load_state_dict(saved)
            self.history = [Epoch(**epoch) for epoch in state["history"]]
            for name in _PLAIN:
                setattr(self, name, state[name])
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise DamagedCheckpoint(damaged(path)) from error

    def result(self, trials: Trials | None, command: str) -> Run:
        """The result, once the last step has been taken; the checkpoint keeps the accuracy."""
        pooling = {id(parameter) for parameter in blend_parameters(self.model)}
        on_gpu = self.device.type == "cuda"
        measures = measure(self.model, self.dataset, trials)
        self.accuracy = measures.clean
        self.save()
        return Run(
            settings=self.settings,
            data={
                "name": self.dataset.name,
                "digest": self.digest,
                "train": len(self.dataset.train),
                "test": len(self.dataset.test),
                "held_out": bool(self.settings.held_out),
            },
            environment=environment(self.device, self.world),
            command=command,
            history=tuple(self.history),
            weight_steps=tuple(self.weight_steps),
            weights={name: tuple(path) for name, path in self.weights.items()},
            measures=measures,
            classes=self.dataset.classes,
            costs=Costs(
                parameters=sum(parameter.numel() for parameter in self.model.parameters()),
                pooling_parameters=sum(
                    parameter.numel()
                    for parameter in self.model.parameters()
                    if id(parameter) in pooling
                ),
                operations=count_operations(self.model),
                seconds_per_step=median(self.step_seconds),
                peak_memory=(
                    torch.cuda.max_memory_allocated(self.device)
                    if on_gpu
                    else self.kept_for_backward
                ),
            ),
        )


_PLAIN = (
    "step",
    "loss",
    "seconds",
    "step_seconds",
    "weight_steps",
    "weights",
    "kept_for_backward",
    "accuracy",
)
