"""`cellbench doctor`: what this machine has to offer."""

import click


@click.command()
def doctor() -> None:
    """Show what this machine has: processor, GPU, SVM backends.

    Versions and the cache too, and of each SVM backend why it is or isn't available.

    \b
    Examples:
      cellbench doctor
    """
    from ...core.machine.environment import cache_folder, cores, machine_name, processor, versions
    from ...core.text.words import counted
    from ...running.executors import child
    from ...running.executors.questions import describe_torch
    from ...svm.backends import BACKENDS, available

    torch = child.ask(describe_torch)
    size = sum(file.stat().st_size for file in cache_folder().rglob("*") if file.is_file())
    gpu = f"{torch['gpu']}, CUDA {torch['cuda_version']}" if torch["cuda"] else "none that torch can use"
    facts = {
        "machine": machine_name(),
        "processor": f"{processor()}, {counted(cores(), 'core')}, {counted(torch['threads'], 'thread')}",
        "GPU": gpu,
        **versions(),
        "cache": f"{cache_folder()} ({size / 1e6:,.0f} MB)",
    }
    obstacles = available()
    for name, backend in BACKENDS.items():
        reason = obstacles[name]
        facts[f"SVM {name}"] = f"no: {reason}" if reason else f"yes: {backend.title}"
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name:<{width}}  {value}")
