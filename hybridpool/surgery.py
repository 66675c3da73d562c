"""Surgery on models: replace their max and average poolings by another pooling.

A warning or an error names every pooling that is not replaced, so that nobody believes that a model
changed more than it did.
"""

import copy
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hybridpool.layers import Pooling, PoolingFactory, pooling_factory

_REPLACEABLE: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
_SHORT = {"max": "max", "average": "avg"}
_NAME = r"(adaptive_?|fractional_?)?({})_?pool[123]d(_with_indices)?"

# The names that a subclass may define and still pool as its base does.
_HARMLESS = {"__init__", "__module__", "__qualname__", "__doc__", "__annotations__"}
_HARMLESS |= {"__constants__", "__firstlineno__", "__static_attributes__", "__annotate_func__"}
_OF_EVERY_POOLING = vars(nn.MaxPool2d(1)).keys() | vars(nn.AvgPool2d(1)).keys()
_MEMBERS = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")

ExampleInput = Tensor | list[Any] | tuple[Any, ...] | Mapping[str, Any]


class _Target(NamedTuple):
    """A pooling to replace."""

    name: str
    module: Any
    neighbour: Tensor | None  # the parameter before it, for the device and the type


def replace_pooling(
    model: nn.Module,
    pooling: Pooling = "hybrid",
    *,
    which: str | Collection[str] = ("max", "average"),
    blend_weight: float | None = 0.5,
    example_input: ExampleInput | None = None,
    strict: bool = True,
    inplace: bool = True,
) -> nn.Module:
    """Swap the local max and average poolings of any model for another pooling.

    A new pooling replaces every ``nn.MaxPool2d`` and ``nn.AvgPool2d``, however deep it lies and
    however many names it has. It has the same kernel, stride, padding, ceil mode and, for an
    average, the same ``count_include_pad``; it is in the same training mode, on the device and in
    the type of the parameters around it. Subclasses that add nothing but an ``__init__`` are
    replaced too. The new pooling takes over hooks, and attributes that somebody gave to the old
    one. A module that is used in several places is replaced by one module.

    One warning names the max and average poolings that stay: adaptive, fractional, 1d and 3d ones,
    subclasses with more of their own, modules in plain lists or dictionaries, modules in scripted
    or traced parts, and, where there is an ``example_input``, calls of functions such as
    ``F.max_pool2d``, but for those in scripted or traced parts.

    Build the optimizer afterwards, with `parameter_groups`, or give it the new parameters: an
    optimizer that exists already does not know them.

    Args:
        model: The model, or a single pooling.
        pooling: A name in `hybridpool.POOLINGS`, or a factory called like them.
        which: Which poolings to replace: ``"max"``, ``"average"`` or both.
        blend_weight: Where ``"hybrid"`` starts; other poolings ignore it. With 1 for max or 0 for
            average poolings the output of the model stays the same bit for bit, but a blend weight
            does not learn there. ``None`` takes, for each, the end that it replaces.
        example_input: An input of the model: a batch, a tuple of several arguments, or a dictionary
            of named ones. It shows how many channels each pooling pools; ``"attention"``
            and factories that use ``channels`` need it. The model runs on it once, in evaluation
            mode. What such a pooling replaces must be reached, always with as many channels.
        strict: Whether to refuse a model with poolings that cannot be replaced (dilation,
            ``return_indices``, ``divisor_override``, a forward or an attribute that the new pooling
            would not keep) rather than to leave those as they are.
        inplace: Whether to change ``model`` itself rather than a copy.

    Returns:
        The model with its poolings replaced.

    Raises:
        ValueError: If a name is not known, if nothing is found that can be replaced, or as
            ``strict`` says; and where the new pooling is made for a number of channels, if
            ``example_input`` is missing, does not reach a pooling, or reaches one with several
            numbers of channels. The model is then as it was.

    Example:
        >>> model = replace_pooling(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)))
        >>> model[1]
        HybridPooling(kernel_size=2, stride=2, padding=0)
    """
    kinds = _kinds(which)
    factory = pooling_factory(pooling)
    if pooling == "attention" and example_input is None:
        raise ValueError(
            "Attention needs to know how many channels it pools: pass a batch as example_input."
        )
    model = model if inplace else copy.deepcopy(model)
    targets, left = _survey(model, kinds, strict)
    counts: dict[nn.Module, list[int]] = {}
    if example_input is not None:
        counts, calls = _run(model, kinds, targets, example_input)
        left += calls
    swaps: dict[nn.Module, nn.Module] = {}
    for target in targets:
        make = partial(_make, target.module, pooling, factory, blend_weight)
        swap = make(None if example_input is None else _channels(target, counts, make))
        if target.neighbour is not None:
            swap.to(target.neighbour.device, target.neighbour.dtype)
        obstacle = _carry_over(target.module, swap)
        if obstacle is None:
            swaps[target.module] = swap.train(target.module.training)
        else:
            left.append(_refused(target.module, target.name, obstacle, strict))
    if not swaps:
        raise ValueError(
            f"The model has no {' or '.join(_REPLACEABLE[kind].__name__ for kind in kinds)} that "
            "can be replaced" + (f", only {', '.join(left)}." if left else ".")
        )
    if left:
        warnings.warn(
            f"replace_pooling leaves these poolings as they are: {', '.join(left)}.", stacklevel=2
        )
    for parent in [*model.modules(), *swaps.values()]:
        for name, child in list(parent._modules.items()):
            if child in swaps:
                setattr(parent, name, swaps[child])
    return swaps.get(model, model)


def _kinds(which: str | Collection[str]) -> tuple[str, ...]:
    kinds = (which,) if isinstance(which, str) else tuple(dict.fromkeys(which))
    for kind in kinds:
        if kind not in _REPLACEABLE:
            raise ValueError(f"which must be drawn from 'max' and 'average', but got {kind!r}.")
    if not kinds:
        raise ValueError("which must name 'max', 'average' or both, but it is empty.")
    return kinds


def _is_pooling(name: str, kinds: Collection[str]) -> bool:
    """Whether a class or function of this name is max or average pooling, as the kinds say."""
    names = "|".join(_SHORT[kind] for kind in kinds)
    return re.fullmatch(_NAME.format(names), name, re.IGNORECASE) is not None


def _pools(module: object, kinds: Collection[str]) -> bool:
    if isinstance(module, torch.jit.ScriptModule):
        return _is_pooling(_kind(module).split()[-1], kinds)
    return isinstance(module, nn.Module) and any(
        base.__module__.startswith("torch.nn.") and _is_pooling(base.__name__, kinds)
        for base in type(module).__mro__
    )


def _kind(module: Any) -> str:
    scripted = isinstance(module, torch.jit.ScriptModule)
    return f"TorchScript {module.original_name}" if scripted else type(module).__name__


# Which poolings there are.


def _survey(
    model: nn.Module, kinds: tuple[str, ...], strict: bool
) -> tuple[list[_Target], list[str]]:
    """The poolings to replace, each once, and a description of each that stays."""
    targets, left = [], []
    bases = tuple(_REPLACEABLE[kind] for kind in kinds)
    neighbour = next((p for p in model.parameters() if p.is_floating_point()), None)
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p.is_floating_point()]
        neighbour = own[-1] if own else neighbour
        left += [
            f"{_kind(pool)} in the plain attribute {attribute!r} of {_called(module, name)}"
            for attribute, value in vars(module).items()
            if attribute not in ("_modules", "_actual_script_module")
            for pool in _held(value)
            if _pools(pool, kinds)
        ]
        if not _pools(module, kinds):
            continue
        obstacle = _obstacle(module) if isinstance(module, bases) else None
        if not isinstance(module, bases) or not _adds_nothing(type(module), bases):
            left.append(_called(module, name))
        elif obstacle is None:
            targets.append(_Target(name, module, neighbour))
        else:
            left.append(_refused(module, name, obstacle, strict))
    return targets, left


def _called(module: nn.Module, name: str) -> str:
    return f"{_kind(module)} {name!r}" if name else f"the {_kind(module)} itself"


def _held(value: object) -> Iterator[nn.Module]:
    """The modules in a plain attribute, where the model does not look for modules."""
    waiting, seen = [value], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, nn.Module):
            yield value
        elif isinstance(value, list | tuple | set | frozenset | dict) and id(value) not in seen:
            seen.add(id(value))
            waiting += value.values() if isinstance(value, dict) else value


def _adds_nothing(kind: type, bases: tuple[type, ...]) -> bool:
    """Whether a class pools as its base does, because it defines nothing but an ``__init__``."""
    return all(
        vars(own).keys() <= _HARMLESS
        for own in kind.__mro__[: next(i for i, k in enumerate(kind.__mro__) if k in bases)]
    )


def _obstacle(pool: Any) -> str | None:
    dilation = getattr(pool, "dilation", 1)
    if any(step != 1 for step in ([dilation] if isinstance(dilation, int) else dilation)):
        return f"dilation={dilation}"
    if getattr(pool, "return_indices", False):
        return "return_indices=True"
    divisor = getattr(pool, "divisor_override", None)
    return None if divisor is None else f"divisor_override={divisor}"


def _refused(pool: nn.Module, name: str, obstacle: str, strict: bool) -> str:
    if strict:
        raise ValueError(
            f"{type(pool).__name__} {name!r} has {obstacle}, which another pooling would not "
            "keep: pass strict=False to leave it as it is."
        )
    return f"{_called(pool, name)} with {obstacle}"


# Which poolings an example reaches.


class _Calls(TorchFunctionMode):
    """Notes each pooling that is called as a function, and the module that calls it."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__()
        self.kinds = kinds
        self.running: list[nn.Module] = []
        self.seen: dict[tuple[str, nn.Module], int] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if (
            self.running
            and _is_pooling(name, self.kinds)
            and not _pools(self.running[-1], self.kinds)
        ):
            call = name.removesuffix("_with_indices"), self.running[-1]
            self.seen[call] = self.seen.get(call, 0) + 1
        return func(*args, **(kwargs or {}))


def _run(
    model: nn.Module, kinds: tuple[str, ...], targets: list[_Target], example_input: ExampleInput
) -> tuple[dict[nn.Module, list[int]], list[str]]:
    """Run the model once, leaving no trace in it.

    Returns:
        The numbers of channels that each target pools, and a description of each pooling that is
        called as a function.
    """
    counts: dict[nn.Module, list[int]] = {}
    pools = {target.module for target in targets}
    calls = _Calls(kinds)

    def after(*_: object) -> None:
        calls.running.pop()

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.running.append(module)
        if module in pools:
            count = (args[0] if args else kwargs["input"]).shape[-3]
            seen = counts.setdefault(module, [])
            seen += [] if count in seen else [count]

    modes = [(module, module.training) for module in model.modules()]
    known = dict(zip(model.modules(), (name for name, _ in model.named_modules()), strict=True))
    hidden = {pool for module in known for pool in _held(vars(module)) if _pools(pool, kinds)}
    hooks = []
    for module in known.keys() | hidden:
        if not isinstance(module, torch.jit.ScriptModule):
            hooks.append(module.register_forward_pre_hook(before, with_kwargs=True))
            hooks.append(module.register_forward_hook(after, prepend=True, always_call=True))
    try:
        model.eval()
        with torch.no_grad(), calls:
            _call(model, example_input)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training
    words = [
        f"{name} called by {_called(module, known.get(module, ''))}"
        + (f" {count} times" if count > 1 else "")
        for (name, module), count in calls.seen.items()
    ]
    return counts, words


def _call(model: nn.Module, example_input: ExampleInput) -> None:
    if isinstance(example_input, Mapping):
        model(**example_input)
    elif isinstance(example_input, tuple):
        model(*example_input)
    else:
        model(example_input)


# The new poolings.


def _make(
    pool: Any,
    pooling: Pooling,
    factory: PoolingFactory,
    blend_weight: float | None,
    channels: int | None,
) -> nn.Module:
    options = {}
    if pooling == "hybrid":
        end = 1.0 if isinstance(pool, nn.MaxPool2d) else 0.0
        options["blend_weight"] = end if blend_weight is None else blend_weight
    return factory(
        channels=channels,
        kernel_size=pool.kernel_size,
        stride=pool.stride,
        padding=pool.padding,
        ceil_mode=pool.ceil_mode,
        count_include_pad=getattr(pool, "count_include_pad", False),
        **options,
    )


def _channels(
    target: _Target, counts: dict[nn.Module, list[int]], make: Callable[[int], nn.Module]
) -> int:
    """The number of channels to make a pooling for: the only one, or any if all are the same."""
    seen = counts.get(target.module, [])
    tried = seen or [1, 2]
    if len(seen) != 1 and not _alike(make, tried):
        called = _called(target.module, target.name)
        if not seen:
            raise ValueError(f"example_input does not reach {called}, so its channels are unknown.")
        raise ValueError(
            f"{called} pools maps with {' and with '.join(map(str, seen))} channels, so one "
            "pooling that is made for a number of channels cannot take its place."
        )
    return tried[0]


def _alike(make: Callable[[int], nn.Module], counts: list[int]) -> bool:
    """Whether the same pooling is made for each of these numbers of channels."""
    try:
        with torch.device("meta"):  # no memory, and no numbers from the global generator
            pools = [make(count) for count in counts]
    except Exception:  # whatever a factory says of a number that does not suit it
        return False
    states = [[*pool.named_parameters(), *pool.named_buffers()] for pool in pools]
    shapes = [[(name, tensor.shape) for name, tensor in state] for state in states]
    return len(set(map(repr, pools))) == 1 and all(shape == shapes[0] for shape in shapes)


def _carry_over(pool: nn.Module, swap: nn.Module) -> str | None:
    """Give the new pooling the hooks and attributes of the old one; say which it cannot have."""
    given = {name: value for name, value in vars(pool).items() if name not in _OF_EVERY_POOLING}
    members = {name: value for kind in _MEMBERS[:3] for name, value in vars(pool)[kind].items()}
    for name, value in (given | members).items():
        of_every_module = hasattr(nn.Module, name)
        works = name == "forward" or (of_every_module and name.startswith("_"))
        taken = hasattr(swap, name) and not of_every_module
        if works or taken or getattr(value, "__self__", None) is pool:
            return f"{name!r} of its own"
    hooks = {
        name: value
        for name, value in vars(pool).items()
        if "hook" in name and value not in (None, {})
    }
    if any("state_dict" in name for name in hooks):
        return "hooks on its state_dict"
    # The same dictionaries of hooks, so that their handles still remove them.
    vars(swap).update(given | hooks)
    for kind in _MEMBERS:
        vars(swap)[kind].update(vars(pool)[kind])
    return None
