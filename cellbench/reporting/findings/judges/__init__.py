"""Judges of claims: functions that make trials from a claim and pooled rows; `registry` names them."""
