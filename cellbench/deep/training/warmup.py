"""Training steps before the clock starts, in which kernels are chosen, memory is taken and the net is compiled."""

from dataclasses import replace

import torch

from ...core.errors import UsageError
from .batches import TrainingImages
from .checkpoints import weights_of
from .freezing import plan_of_epoch, set_training_mode
from .learner import Learner, backward, make_scaler, step
from .optimisers import make_optimiser

STEPS = 3


def warm_up(learner: Learner, train: TrainingImages) -> None:
    """Take a few steps on random labels, then restore the weights and torch's random state.

    Raises UsageError for a batch that is too small for the net's batch norm.
    """
    net, recipe = learner.classifier.net, learner.recipe
    images = train.first_batch()
    weights = weights_of(net)
    rehearsal = replace(
        learner,
        optimiser=make_optimiser(net, recipe),
        scaler=make_scaler(learner.classifier),
        random=torch.Generator().manual_seed(0),
    )
    plans = dict.fromkeys(plan_of_epoch(recipe, epoch) for epoch in (1, recipe.head_epochs + 1))
    with torch.random.fork_rng(["cuda"] if images.is_cuda else []):  # dropout's draws are put back as well
        for plan in plans:
            set_training_mode(net, plan)
            for _ in range(STEPS):
                labels = train.labels[torch.randperm(len(train.labels))[: len(images)]].to(images.device)
                try:
                    backward(rehearsal, images, labels)
                except ValueError as error:
                    if "more than 1 value per channel" not in str(error):
                        raise
                    raise UsageError("batch norm cannot learn from one value a channel; set a larger batch") from error
                step(rehearsal)
    net.load_state_dict(weights)
