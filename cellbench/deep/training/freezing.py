"""Which layers of a net learn."""

from torch import nn

from ...core.errors import UsageError, did_you_mean
from ..nets.layers import convolution_modules, head_parameters
from ..recipe import Recipe

PLANS = ("none", "head", "convolutions")


def plan_of_epoch(recipe: Recipe, epoch: int) -> str:
    """Return which layers learn in an epoch, counted from 1, as a plan of `freeze`.

    A recipe with freeze 'head' trains only the head for its first `head_epochs` epochs, and then all layers.
    """
    return "none" if recipe.freeze == "head" and epoch > recipe.head_epochs else recipe.freeze


def set_training_mode(net: nn.Module, plan: str) -> None:
    """Freeze layers by this plan and set training mode; frozen batch norm is put into evaluation mode."""
    freeze(net, plan)
    net.train()
    _stop_frozen_norms(net)


def freeze(net: nn.Module, plan: str) -> None:
    """Let layers learn as the plan says, and freeze all others. Raises UsageError for an unknown plan.

    plan: 'none' lets everything learn, 'head' only the last layer, 'convolutions' only the linear layers and the last
    layer. Layers that were frozen before learn again unless the plan freezes them.
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
    """Put frozen batch norm into evaluation mode, so that it does not update its running means either."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
