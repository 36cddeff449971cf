"""How fast this machine is: our code against peers, turn by turn.

works: what is timed, and against what; that of nets is in net_works, of files in file_works · measure: the turns ·
machine: the kind of machine, whose ratios can be compared · judging: whether a ratio is lower than noise allows ·
history: the file of earlier measurements.
"""
