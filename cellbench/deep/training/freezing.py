"""Which layers of a net learn."""

from torch import nn

from ...core.errors import UsageError, did_you_mean
from ..nets.layers import convolution_modules, head_parameters
from ..recipe import Recipe

PLANS = ("none", "head", "convolutions")


def plan_of_epoch(recipe: Recipe, epoch: int) -> str:
    """The plan of an epoch, counted from 1: a recipe that trains the head alone does so for its first epochs."""
    return "none" if recipe.freeze == "head" and epoch > recipe.head_epochs else recipe.freeze


def set_training_mode(net: nn.Module, plan: str) -> None:
    """Training mode for the layers that learn by this plan; frozen batch norm stays in evaluation mode."""
    freeze(net, plan)
    net.train()
    _stop_frozen_norms(net)


def freeze(net: nn.Module, plan: str) -> None:
    """Let only these learn: 'none' everything; 'head' the last layer; 'convolutions' the linear layers.

    Whatever was frozen before is forgotten.
    """
    if plan not in PLANS:
        raise UsageError(f"freeze is {plan!r}; {did_you_mean(plan, PLANS)}")
    if plan == "convolutions" and not convolution_modules(net):
        raise UsageError("freeze is 'convolutions', but this net has none; choose 'none' or 'head'")
    learn = set(net.parameters()) if plan == "none" else set(head_parameters(net))
    if plan == "convolutions":
        learn |= {p for module in net.modules() if isinstance(module, nn.Linear) for p in module.parameters()}
    for parameter in net.parameters():
        parameter.requires_grad_(parameter in learn)


def _stop_frozen_norms(net: nn.Module) -> None:
    """Batch norm that does not learn must not update its running means either."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
