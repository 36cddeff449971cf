"""The machine under a run.

environment: its name, its hardware and software. contention: the processor time that other programs used. memory: large
arrays outside the process's memory. processes: limits of processes, and that they end with their parent. server_start:
what the fork server does first. locks: locks on files. files: reading files that others may have put there.
"""
