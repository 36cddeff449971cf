"""The one training loop and its parts.

loop.py         epoch, batch, step; read it first. learner.py: what one batch and one step do
batches.py      images on their way to the device. sampling.py: which of them an epoch shows
losses.py, optimisers.py, schedules.py, freezing.py    what the recipe says of each
warmup.py       the rehearsal before the clock starts
history.py      figures of an epoch. checkpoints.py: resuming a training that was stopped
"""
