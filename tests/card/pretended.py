"""A CUDA card that is not there: code for a card runs on any machine, and is refused what a real card refuses.

Inside `card()` torch reports one CUDA device. Every tensor is an ordinary one in the processor's memory; whether it
counts as being on the card is noted on its storage, so that views, parameters and gradients agree about it. Three
things make that look like a card:

- `_Calls` sees every call of torch from Python. It answers questions about devices, moves tensors between the two
  places, and refuses what never reaches a kernel: `.numpy()` of a tensor on the card, a generator of the other device.
- `_Kernels` sees every operation that torch carries out, those of the backward pass included. It refuses operands in
  two places, with the exceptions that CUDA makes, and notes where results are.
- `_replacements` stand in for those functions of `torch.cuda` that need a driver.

What it cannot show: speed, the rounding of a card's kernels, work that overlaps on streams, `torch.compile` and CUDA
graphs. Memory is counted as the sum of the storages that are alive, without what an allocator wastes.
"""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CARD, HOST = torch.device("cuda", 0), torch.device("cpu")
NAME = "pretended card"

# Operations that may take a tensor of each place: they copy from one to the other.
COPIES = {"aten::copy_", "aten::_to_copy", "aten::set_"}
# Operations whose indices, the second argument, may be in the processor's memory while what they index is on the card.
INDEXING = {"aten::index", "aten::_unsafe_index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
# Operations beside the pointwise ones for which a number in the processor's memory may stand beside the card's.
WITH_NUMBERS = {"aten::fill_", "aten::fill", "aten::masked_fill", "aten::masked_fill_", "aten::where", *INDEXING}

# Calls that make a tensor without an operation that `_Kernels` sees: they fill or copy its bytes themselves.
UNSEEN = {torch.tensor, Tensor.new_tensor, Tensor.__deepcopy__}


class Card:
    """The memory of the pretended card: how many bytes there are, are in use, and were in use at most."""

    def __init__(self, memory: int) -> None:
        self.memory, self.used, self.peak = memory, 0, 0

    def hold(self, tensor: Tensor) -> None:
        """Note that the tensor's storage is on the card. Raises torch.OutOfMemoryError when the card is full."""
        storage = tensor.untyped_storage()
        if getattr(storage, "on_card", False):
            return
        size = storage.nbytes()
        if self.used + size > self.memory:
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate {size} bytes; {self.memory - self.used} are free"
            )
        storage.on_card = True
        self.used += size
        self.peak = max(self.peak, self.used)
        weakref.finalize(storage, self._free, size).atexit = False

    def hold_new(self, result: Any, inputs: Iterable[Tensor]) -> None:
        """Note that all tensors in the result are on the card, but for those that share memory with an input."""
        old = {tensor.untyped_storage()._cdata for tensor in inputs if tensor.layout is torch.strided}
        for leaf in tree_leaves(result):
            ordinary = isinstance(leaf, Tensor) and leaf.layout is torch.strided and not leaf.is_meta
            if ordinary and leaf.untyped_storage()._cdata not in old:
                self.hold(leaf)

    def _free(self, size: int) -> None:
        self.used -= size


def on_card(tensor: Tensor) -> bool:
    """Return whether the tensor counts as being on the card."""
    if tensor.layout is not torch.strided:
        return False
    return getattr(tensor.untyped_storage(), "on_card", False)


@contextlib.contextmanager
def card(memory: int = 2**34) -> Iterator[Card]:
    """Within this context torch has one CUDA card with so many bytes of memory; threads started in it have it too."""
    pretended = Card(memory)
    with contextlib.ExitStack() as stack:
        for owner, name, replacement in _replacements(pretended):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)
        torch.serialization.register_package(0, _location, lambda storage, place: _restored(pretended, storage, place))
        stack.callback(_forget_package)
        stack.enter_context(_Kernels(pretended))
        stack.enter_context(_Calls(pretended))
        yield pretended


class _Calls(TorchFunctionMode):
    """What is asked of torch from Python: questions about devices, moves between them, tensors made on one."""

    def __init__(self, pretended: Card) -> None:
        super().__init__()
        self.card = pretended

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if (answer := ANSWERS.get(function)) is not None:
            return answer(*args, **kwargs)
        if (target := _target(function, args, kwargs)) is not None and target.type in ("cpu", "cuda"):
            return self._move(target, function, args, kwargs)
        if function == GRADIENT.__set__ and isinstance(args[1], Tensor) and on_card(args[0]) != on_card(args[1]):
            raise RuntimeError(f"assigned grad has data of a different type: {_place(args[1])} for {_place(args[0])}")
        wanted = _device(kwargs.get("device"))
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        place = any(map(on_card, inputs)) if wanted is None else wanted.type == "cuda"
        if isinstance(generator := kwargs.get("generator"), torch.Generator) and generator.device.type != (
            "cuda" if place else "cpu"
        ):
            expected = "cuda" if place else "cpu"
            raise RuntimeError(f"Expected a '{expected}' device type for generator but found '{generator.device.type}'")
        if wanted is not None and wanted.type == "cuda":
            kwargs["device"] = HOST
        with _making(place, always=wanted is not None):
            result = function(*args, **kwargs)
        if place and (wanted is not None or function in UNSEEN):
            self.card.hold_new(result, inputs)
        return result

    def _move(self, target: torch.device, function: Any, args: Any, kwargs: Any) -> Tensor:
        """Return what `.to` and its relatives return: the tensor itself if it is there already, else a copy."""
        tensor = args[0]
        if not isinstance(tensor, Tensor):
            tensor = torch.as_tensor(tensor)
        _, dtype, _, layout = _parsed(function, args, kwargs)
        if on_card(tensor) != (target.type == "cuda") or kwargs.get("copy"):
            tensor = _Moved.apply(tensor, target.type == "cuda", self.card)
        tensor = tensor if dtype is None else tensor.to(dtype)
        return tensor if layout is None else tensor.to(memory_format=layout)


class _Moved(torch.autograd.Function):
    """A copy of a tensor in the other place; its gradient is copied back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, to_card: bool, pretended: Card) -> Tensor:
        ctx.back = on_card(tensor), pretended
        with _unwatched():
            copied = tensor.detach().clone()
        if to_card:
            pretended.hold(copied)
        return copied

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Moved.apply(gradient, *ctx.back), None, None


class _Kernels(TorchDispatchMode):
    """What torch carries out: operands must be in one place, and results are where their operands are."""

    def __init__(self, pretended: Card) -> None:
        super().__init__()
        self.card = pretended

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [on_card(tensor) for tensor in inputs]
        if any(there) and not all(there):
            _check_places(function, args, inputs)
        result = function(*args, **kwargs)
        if function._schema.name in COPIES and function._schema.is_mutable:
            return result
        if any(there) if inputs and not STATE.always else STATE.on_card:
            self.card.hold_new(result, inputs)
        return result


class _State(threading.local):
    """Where the call from Python that is under way makes new tensors.

    on_card: whether those that are made of nothing are on the card. always: whether that is so of all, as the call
    named a device; else a result is where its operands are.
    """

    on_card = False
    always = False


STATE = _State()


@contextlib.contextmanager
def _making(place: bool, always: bool) -> Iterator[None]:
    before = STATE.on_card, STATE.always
    STATE.on_card, STATE.always = place, always
    try:
        yield
    finally:
        STATE.on_card, STATE.always = before


@contextlib.contextmanager
def _unwatched() -> Iterator[None]:
    """Leave out `_Kernels`: what is done in this context is noted by nobody."""
    with torch._C._DisableTorchDispatch():
        yield


def _check_places(function: Any, args: Any, inputs: Iterable[Tensor]) -> None:
    """Raise RuntimeError, as CUDA does, for an operation that mixes tensors on the card with tensors elsewhere."""
    name = function._schema.name
    if name in COPIES:
        return
    strangers = [tensor for tensor in inputs if not on_card(tensor)]
    if name in INDEXING:
        if not on_card(args[0]):
            raise RuntimeError(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu), not on cuda:0"
            )
        indices = {id(index) for index in args[1]}
        strangers = [tensor for tensor in strangers if id(tensor) not in indices]
    if torch.Tag.pointwise in function.tags or name in WITH_NUMBERS or name.startswith("aten::_foreach"):
        written = {id(leaf) for leaf in _written(function, args)}
        strangers = [tensor for tensor in strangers if tensor.dim() or id(tensor) in written]
    if strangers:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
            f"(in {name}, a tensor of shape {tuple(strangers[0].shape)} is on cpu)"
        )


def _written(function: Any, args: Any) -> list[Any]:
    """Return the tensors that the operation changes."""
    schema = zip(function._schema.arguments, args, strict=False)
    return [leaf for given, value in schema if given.is_write for leaf in tree_leaves(value)]


def _target(function: Any, args: Any, kwargs: Any) -> torch.device | None:
    """Return the device that the call moves its first argument to, or None if it moves nothing."""
    if function is Tensor.cpu:
        return HOST
    if function is Tensor.cuda:
        return CARD
    if function is torch.as_tensor:
        return _device(kwargs.get("device"))
    return _parsed(function, args, kwargs)[0] if function is Tensor.to else None


def _parsed(function: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any, Any]:
    """Return device, dtype, whether not to wait, and memory format of a call of `.to` or a relative."""
    if function is not Tensor.to:
        return None, kwargs.get("dtype"), False, kwargs.get("memory_format")
    if len(args) > 1 and isinstance(args[1], Tensor):
        return _place(args[1]), args[1].dtype, False, None
    if isinstance(kwargs.get("other"), Tensor):
        return _place(kwargs["other"]), kwargs["other"].dtype, False, None
    return torch._C._nn._parse_to(*args[1:], **{key: value for key, value in kwargs.items() if key != "copy"})


def _device(given: Any) -> torch.device | None:
    return None if given is None else torch.device(given)


def _place(tensor: Tensor) -> torch.device:
    return CARD if on_card(tensor) else tensor.device  # of shapes alone, 'meta' is a place too


def _for_the_host(method: Any) -> Callable[..., Any]:
    def on_host(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        if on_card(tensor):
            raise TypeError(
                "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory"
            )
        return method(tensor, *args, **kwargs)

    return on_host


def _pinned(tensor: Tensor, *_: Any) -> Tensor:
    if on_card(tensor):
        raise RuntimeError("cannot pin a tensor on cuda:0; only dense CPU tensors can be pinned")
    return tensor


def _recorded(tensor: Tensor, stream: Any) -> None:
    if not on_card(tensor) or not isinstance(stream, _Stream):
        raise RuntimeError("record_stream needs a tensor on the card and a stream of it")


GRADIENT = torch._C.TensorBase.grad
# Calls that are answered without torch. What is got from a descriptor is its method `__get__`.
ANSWERS: dict[Any, Callable[..., Any]] = {
    torch._C.TensorBase.device.__get__: lambda tensor, *_: _place(tensor),
    torch._C.TensorBase.is_cuda.__get__: lambda tensor, *_: on_card(tensor),
    torch._C.TensorBase.is_cpu.__get__: lambda tensor, *_: _place(tensor).type == "cpu",
    Tensor.get_device: lambda tensor: 0 if on_card(tensor) else -1,
    Tensor.numpy: _for_the_host(Tensor.numpy),
    Tensor.__array__: _for_the_host(Tensor.__array__),
    Tensor.pin_memory: _pinned,
    Tensor.is_pinned: lambda *_: False,
}


class _Generator(torch.Generator):
    """A generator that remembers the device that it was made for."""

    def __new__(cls, device: Any = "cpu") -> "_Generator":
        made = super().__new__(cls)
        made.pretended = CARD if torch.device(device).type == "cuda" else HOST
        return made

    device = property(lambda self: self.pretended)


class _Autocast(torch.autocast):
    """Autocast of the processor, which is where everything is really computed."""

    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu", *args, **kwargs)


class _Stream:
    """A stream on which everything is done at once; it is also the event that it records, and a context."""

    def record_event(self, *_: Any) -> "_Stream":
        return self

    def wait_event(self, *_: Any) -> None: ...

    def wait_stream(self, *_: Any) -> None: ...

    def synchronize(self) -> None: ...

    def is_capturing(self) -> bool:
        return False

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(self, *_: Any) -> None: ...


def _replacements(pretended: Card) -> list[tuple[Any, str, Any]]:
    """Return what to replace while there is a card: the owner of a name, the name, and what it is then."""
    in_thread, grouped = threading.Thread.run, torch._C._group_tensors_by_device_and_dtype

    def run(thread: threading.Thread) -> None:
        with _Kernels(pretended), _Calls(pretended):  # modes of torch are of one thread
            in_thread(thread)

    def group(tensors: Any, with_indices: bool = False) -> Any:
        """Group tensors as torch does, under the device on which they count as being."""
        found = grouped(tensors, with_indices)
        first = {key: next((t for t in lists[0] if t is not None), None) for key, (lists, _) in found.items()}
        return {(key[0] if first[key] is None else _place(first[key]), key[1]): value for key, value in found.items()}

    cuda = {
        "_lazy_init": lambda: None,
        "current_device": lambda: 0,
        "current_stream": lambda *_: _Stream(),
        "device_count": lambda: 1,
        "empty_cache": lambda: None,
        "get_device_capability": lambda *_: (9, 0),
        "get_device_name": lambda *_: NAME,
        "get_rng_state": lambda *_: torch.zeros(16, dtype=torch.uint8),
        "is_available": lambda: True,
        "is_bf16_supported": lambda *_, **__: True,
        "is_initialized": lambda: True,
        "manual_seed_all": lambda *_: None,
        "max_memory_allocated": lambda *_: pretended.peak,
        "mem_get_info": lambda *_: (pretended.memory - pretended.used, pretended.memory),
        "memory_allocated": lambda *_: pretended.used,
        "memory_reserved": lambda *_: pretended.used,
        "reset_peak_memory_stats": lambda *_: setattr(pretended, "peak", pretended.used),
        "set_rng_state": lambda state, *_: None,
        "Stream": _Stream,
        "stream": lambda stream: stream,
        "synchronize": lambda *_: None,
    }
    return [
        *((torch.cuda, name, replacement) for name, replacement in cuda.items()),
        (torch.accelerator, "current_stream", lambda *_: _Stream()),
        (torch, "Generator", _Generator),
        (torch, "autocast", _Autocast),
        (Tensor, "record_stream", _recorded),  # the stream is looked at before the call is seen
        (torch._C, "_group_tensors_by_device_and_dtype", group),
        (threading.Thread, "run", run),
    ]


def _location(storage: Any) -> str | None:
    """Return what `torch.save` notes as the place of a storage on the card; None leaves that to torch."""
    return "cuda:0" if getattr(storage, "on_card", False) else None


def _restored(pretended: Card, storage: Any, place: str) -> Any:
    """Return a storage that `torch.load` has read, on the card if it was there; None leaves that to torch."""
    if not place.startswith("cuda"):
        return None
    pretended.hold(torch.empty(0, dtype=torch.uint8).set_(storage))
    return storage


def _forget_package() -> None:
    registry = torch.serialization._package_registry
    registry[:] = [entry for entry in registry if entry[1] is not _location]
