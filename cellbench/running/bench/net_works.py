"""Training and embedding by nets, ours and by the loops that others write."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ...core.data import Samples

BATCH = 64
CLASSES = 6
Loop = Callable[["nn.Module", "Samples", "Samples", str], float]


def epoch(loop: str) -> Callable[[str, bool], tuple[Callable[[], float], Callable[[], float]]]:
    """Return what prepares an epoch of resnet18, ours and by one of LOOPS.

    Each call returns the seconds that count: those of the epoch after the first, with the scores of validation.
    """

    def prepare(device: str, tiny: bool) -> tuple[Callable[[], float], Callable[[], float]]:
        from ...core.extras import EXTRAS
        from ...core.records.runs import RunLog
        from ...core.settings import replace
        from ...datasets.toy import rings
        from ...deep.nets.table import find
        from ...methods import methods

        if loop == "timm":
            EXTRAS["timm"].require("timm's training loop")
        elif loop == "skorch":
            import skorch  # noqa: F401
        n = 64 if tiny else 3072 if device == "cuda" else 640
        data = rings(n=2 * n, size=64, classes=CLASSES)
        train, val = data.part("train"), data.part("val")
        entry = methods["mlp" if tiny else "resnet18"]
        plain = {"rotate": 0, "flip": False, "scale": 0, "shift": 0, "gain": 0}

        def ours() -> float:
            log = RunLog()
            entry.factory(replace(entry.defaults, epochs=2, batch=BATCH, **plain), 0, device).fit(train, val, log)
            return float(log.history[-1]["seconds"])

        def theirs() -> float:
            net = find(entry.name).build(channels=1, classes=CLASSES, size=64).to(device)
            return LOOPS[loop](net, train, val, device)

        return ours, theirs

    return prepare


def _batches(part: "Samples", shuffle: bool) -> "Iterable[tuple[Tensor, Tensor]]":
    """Return a DataLoader of float32 images from 0 to 1, and classes."""
    from torch.utils.data import DataLoader, TensorDataset

    from ...core.tensors import as_tensor

    return DataLoader(TensorDataset(as_tensor(part.images).float() / 255, as_tensor(part.labels)), BATCH, shuffle)


def _second_epoch(one: Callable[[], None], device: str) -> float:
    """Return the seconds of the second of two calls."""
    from ...deep.device import synchronise

    one()
    synchronise(device)
    start = time.perf_counter()
    one()
    synchronise(device)
    return time.perf_counter() - start


def _plain(net: "nn.Module", train: "Samples", val: "Samples", device: str) -> float:
    """What a tutorial writes: float32, a DataLoader, torch's defaults."""
    import torch

    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    learnt, scored = _batches(train, True), _batches(val, False)

    def one() -> None:
        net.train()
        for batch, labels in learnt:
            optimiser.zero_grad()
            torch.autograd.backward(torch.nn.functional.cross_entropy(net(batch.to(device)), labels.to(device)))
            optimiser.step()
        net.eval()
        with torch.no_grad():
            for batch, labels in scored:
                (net(batch.to(device)).argmax(1) == labels.to(device)).float().mean().item()

    return _second_epoch(one, device)


def _skorch(net: "nn.Module", train: "Samples", val: "Samples", device: str) -> float:
    """skorch's NeuralNetClassifier, which scores a part for validation after each epoch."""
    import torch
    from skorch import NeuralNetClassifier
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    inputs, valid = ((part.images.astype("float32") / 255, part.labels.copy()) for part in (train, val))
    learner: Any = NeuralNetClassifier(
        net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        optimizer__nesterov=True,
        lr=0.01,
        batch_size=BATCH,
        max_epochs=2,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(*valid)),
        device=device,
        verbose=0,
    )
    learner.fit(*inputs)
    return float(learner.history[-1, "dur"])


def _timm(net: "nn.Module", train: "Samples", val: "Samples", device: str) -> float:
    """The loop of timm's training script with its defaults: its optimiser, smoothed labels, running means."""
    import torch
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.utils import AverageMeter, accuracy

    optimiser = create_optimizer_v2(net, opt="sgd", lr=0.01, weight_decay=2e-5, momentum=0.9)
    loss_of = LabelSmoothingCrossEntropy(0.1)
    learnt, scored = _batches(train, True), _batches(val, False)

    def one() -> None:
        net.train()
        losses = AverageMeter()
        for batch, labels in learnt:
            loss = loss_of(net(batch.to(device)), labels.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.update(loss.item(), len(batch))
        net.eval()
        right = AverageMeter()
        with torch.inference_mode():
            for batch, labels in scored:
                right.update(accuracy(net(batch.to(device)), labels.to(device))[0].item(), len(batch))

    return _second_epoch(one, device)


LOOPS: dict[str, Loop] = {"plain": _plain, "skorch": _skorch, "timm": _timm}


def embedding(device: str, tiny: bool) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return an embedding by timm's resnet18 with random weights: ours, and a loop in eval mode in float32."""
    from ...core.extras import EXTRAS
    from ...datasets.toy import rings
    from ...deep.pretrained import encoders
    from ...methods.probes.embedding import Embedder

    EXTRAS["timm"].require("a loop with timm")
    import timm
    import torch

    n, size = (8, 32) if tiny else (1000, 96)
    images = rings(n=n, size=size).images
    embedder = Embedder(encoders.untrained("timm:resnet18", size, None, "head", device), "each", 255.0, 1, device)
    net = timm.create_model("resnet18", num_classes=0).eval().to(device)
    mean, deviation = (torch.tensor(net.default_cfg[name]).view(1, 3, 1, 1) for name in ("mean", "std"))

    def theirs() -> None:
        with torch.inference_mode():
            for batch in torch.split(torch.from_numpy(images.copy()), BATCH):
                grey = (batch.float() / 255).expand(-1, 3, -1, -1)
                net(((grey - mean) / deviation).to(device)).cpu()

    return lambda: embedder(images), theirs
