"""Shards: every run in exactly one of them, the same whatever else is chosen."""

import pytest

from cellbench.core.errors import UsageError
from cellbench.running.planning.plan import make_plan
from cellbench.running.planning.shards import Shard, parse_shard


def test_the_shard_of_a_key_is_the_rest_of_its_number():
    # by hand: 0x1a = 26 = 3 * 8 + 2, so the third shard of eight; 0xff = 255 = 31 * 8 + 7, the last
    assert [n for n in range(1, 9) if Shard(n, 8).holds("1a")] == [3]
    assert [n for n in range(1, 9) if Shard(n, 8).holds("ff")] == [8]


def test_every_run_is_in_exactly_one_shard_and_stays_there_when_more_runs_are_chosen(toy_folder):
    few = make_plan(["cnn", "mlp"], [toy_folder], seeds=range(10))
    many = make_plan(["svm-flat", "mlp", "fastnet", "cnn"], [toy_folder], seeds=range(20))

    def keys(jobs, number):
        return [job.spec.key for job in Shard(number, 3).of(jobs)]

    of_many = [keys(many, number) for number in (1, 2, 3)]
    assert sorted(key for of_one in of_many for key in of_one) == sorted(job.spec.key for job in many)
    for number in (1, 2, 3):
        assert set(keys(few, number)) == {job.spec.key for job in few} & set(of_many[number - 1])
    assert min(map(len, of_many)) > len(many) / 6  # 61 runs in three: none has half of its share or less


def test_a_shard_is_written_as_part_and_number_of_parts():
    assert parse_shard("3/8") == Shard(3, 8)
    assert parse_shard(" 1 / 1 ") == Shard(1, 1)
    assert str(Shard(3, 8)) == "shard 3/8"


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "3/0", "-1/8", "a/b", "3/8/2", "1/10001", "٣/٨"])
def test_another_text_is_refused(text):
    with pytest.raises(UsageError, match="write 3/8 for the third of eight"):
        parse_shard(text)
