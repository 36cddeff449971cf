"""The pretended card refuses what a real card refuses, and nothing else."""

import copy
import io
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import cellbench

from . import mutants
from .pretended import CARD, HOST, card, on_card

MIXED = "Expected all tensors to be on the same device"
REFUSED = {
    "arithmetic": (MIXED, lambda x, h: x + h),
    "a number on the card beside many on the host": (MIXED, lambda x, h: h + x.sum()),
    "a matrix product": (MIXED, lambda x, h: x @ h.T),
    "a layer": (MIXED, lambda x, h: torch.nn.Linear(3, 2)(x)),
    "joining": (MIXED, lambda x, h: torch.cat([x, h])),
    "joining numbers": (MIXED, lambda x, h: torch.stack([x.sum(), h.sum()])),
    "comparing": (MIXED, lambda x, h: torch.equal(x, h)),
    "a mask": (MIXED, lambda x, h: x.masked_fill(h > 0, 0)),
    "rows by number": (MIXED, lambda x, h: x.index_select(0, torch.tensor([0]))),
    "gathering": (MIXED, lambda x, h: x.gather(0, torch.zeros(1, 3, dtype=torch.int64))),
    "adding to the host": (MIXED, lambda x, h: h.add_(x)),
    "adding to a number on the host": (MIXED, lambda x, h: h.sum().add_(x.sum())),
    "values put into the card": (MIXED, lambda x, h: x.__setitem__(torch.tensor([0, 1]), h[:2])),
    "a loss": (MIXED, lambda x, h: torch.nn.functional.cross_entropy(x, h.softmax(1))),
    "weights of a loss": (MIXED, lambda x, h: torch.nn.functional.cross_entropy(x, x.softmax(1), h[0])),
    "indices of the card into the host": ("indices should be either on cpu", lambda x, h: h[x.argmax(0)]),
    "numpy": ("can't convert cuda:0", lambda x, h: x.numpy()),
    "an array": ("can't convert cuda:0", lambda x, h: np.asarray(x)),
    "pinning": ("cannot pin", lambda x, h: x.pin_memory()),
    "a stream for the host": ("record_stream", lambda x, h: h.record_stream(torch.cuda.current_stream())),
    "a gradient": ("assigned grad", lambda x, h: setattr(x.requires_grad_(), "grad", h)),
    "the host's generator": (
        "Expected a 'cuda' device type for generator",
        lambda x, h: torch.rand(3, device="cuda", generator=torch.Generator()),
    ),
    "the host's generator in place": (
        "Expected a 'cuda' device type for generator",
        lambda x, h: x.normal_(generator=torch.Generator()),
    ),
    "the card's generator": (
        "Expected a 'cpu' device type for generator",
        lambda x, h: torch.rand(3, generator=torch.Generator("cuda")),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what, pretended):
    message, mix = REFUSED[what]
    host = torch.rand(4, 3)
    with pytest.raises((RuntimeError, TypeError), match=message):
        mix(host.to("cuda"), host)


ALLOWED = {
    "a number of the host": (CARD, lambda x, h: x * h.sum()),
    "indices of the host": (CARD, lambda x, h: x[h.argmax(0)]),
    "a mask of the host as index": (CARD, lambda x, h: x[h > 0.5]),
    "a list as index": (CARD, lambda x, h: x[[0, 1]]),
    "a number put into the card": (CARD, lambda x, h: x.index_put((torch.tensor([0]),), h.sum())),
    "a copy to the host": (HOST, lambda x, h: h.copy_(x)),
    "a copy to the card": (CARD, lambda x, h: x.copy_(h)),
    "made like another": (CARD, lambda x, h: torch.zeros_like(x)),
    "made like another on the host": (HOST, lambda x, h: torch.zeros_like(x, device="cpu")),
    "new values": (CARD, lambda x, h: x.new_tensor([1.0, 2.0])),
    "made of numbers": (CARD, lambda x, h: torch.tensor([1, 2], device="cuda")),
    "moved as another": (CARD, lambda x, h: h.to(x)),
    "another type": (CARD, lambda x, h: x.double()),
    "fetched as another type": (HOST, lambda x, h: x.to("cpu", torch.float64)),
    "a view": (CARD, lambda x, h: x[1:].T),
    "a deep copy": (CARD, lambda x, h: copy.deepcopy(x)),
    "a one-hot code": (CARD, lambda x, h: torch.nn.functional.one_hot(x.argmax(1), 3)),
    "shapes alone": (torch.device("meta"), lambda x, h: torch.empty(2, device="meta")),
    "a choice of numbers": (CARD, lambda x, h: torch.where(x > 0.5, h.sum(), x)),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_is_allowed(what, pretended):
    place, make = ALLOWED[what]
    host = torch.rand(4, 3)
    assert make(host.to("cuda"), host).device == place


def test_values_are_those_of_the_processor(pretended):
    host = torch.rand(4, 3)
    there = host.to("cuda", torch.float64) * 2
    assert there.is_cuda
    assert not there.is_cpu
    assert there.get_device() == 0
    assert np.array_equal(there.cpu().numpy(), 2 * host.double().numpy())


def test_gradients_flow_through_a_move_and_are_where_their_tensor_is(pretended):
    host = torch.ones(3, requires_grad=True)
    there = torch.ones(3, device="cuda", requires_grad=True)
    (3 * host.to("cuda") * there).sum().cpu().backward()
    assert host.grad.device == HOST
    assert host.grad.tolist() == [3, 3, 3]
    assert there.grad.device == CARD
    assert there.grad.tolist() == [3, 3, 3]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("fused", [True, False])
def test_a_net_is_trained_as_on_the_processor(kind, fused, pretended):
    def trained(device):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).to(device)
        optimiser = kind(net.parameters(), lr=0.1, fused=fused)
        pictures, truth = torch.randn(8, 3).to(device), (torch.arange(8) % 2).to(device)
        for _ in range(3):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(net(pictures), truth).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            optimiser.step()
        assert {parameter.device.type for parameter in net.parameters()} == {device}
        return [parameter.detach().cpu() for parameter in net.parameters()]

    for there, here in zip(trained("cuda"), trained("cpu"), strict=True):
        assert torch.equal(there, here)


def test_memory_is_counted_and_ends(pretended):
    before = torch.cuda.memory_allocated()
    there = torch.zeros(1000, dtype=torch.float64, device="cuda")
    view = there[10:]
    assert torch.cuda.memory_allocated() == before + 8000
    del there
    assert torch.cuda.memory_allocated() == before + 8000  # the view still holds it
    del view
    assert torch.cuda.memory_allocated() == before
    assert torch.cuda.max_memory_allocated() == before + 8000


def test_memory_runs_out():
    with card(memory=1000) as small:
        there = torch.zeros(600, dtype=torch.uint8, device="cuda")
        assert torch.cuda.mem_get_info() == (400, 1000)
        with pytest.raises(torch.OutOfMemoryError, match="Tried to allocate 600 bytes; 400 are free"):
            there.clone()
        assert small.used == 600


def test_files_know_where_their_tensors_were(pretended):
    file = io.BytesIO()
    torch.save({"there": torch.ones(3, device="cuda"), "here": torch.ones(3)}, file)
    places = {}
    for map_location in (None, "cpu"):
        file.seek(0)
        loaded = torch.load(file, map_location=map_location, weights_only=True)
        places[map_location] = [loaded[name].device.type for name in ("there", "here")]
        assert loaded["there"].tolist() == [1, 1, 1]
    assert places == {None: ["cuda", "cpu"], "cpu": ["cpu", "cpu"]}


def test_threads_have_the_card_too(pretended):
    sent = []
    thread = threading.Thread(target=lambda: sent.append(torch.ones(3).pin_memory().to("cuda", non_blocking=True)))
    thread.start()
    thread.join()
    assert sent[0].device == CARD


def test_nothing_is_left_of_the_card():
    names = ("is_available", "Stream", "mem_get_info")
    before = [getattr(torch.cuda, name) for name in names], torch.Generator, threading.Thread.run
    with card():
        there = torch.ones(3, device="cuda")
    assert before == ([getattr(torch.cuda, name) for name in names], torch.Generator, threading.Thread.run)
    assert on_card(there)
    assert there.device == HOST
    assert torch.equal(there + torch.ones(3), torch.full((3,), 2.0))


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.text}")
def test_each_mutant_has_its_place_and_its_tests(mutant):
    """What `mutants.py` leaves out still stands in the package. Whether the tests find it takes minutes, by hand."""
    text = (Path(cellbench.__file__).parent / mutant.file).read_text(encoding="utf-8")
    assert mutant.whole in text
    assert mutant.without not in (mutant.whole, "")
    assert (mutants.ROOT / "tests" / "card" / f"test_{mutant.tests}.py").exists()
