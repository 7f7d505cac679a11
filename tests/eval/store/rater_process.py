"""Raters in a process of their own: python rater_process.py URL STUDY_ID TOKEN…"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from concours.eval.store import open_store, study


def take_study(store, study_id, token):
    rater = study.join_by_token(store, study_id, token)
    assert study.claim_block(store, study_id, rater.id)
    while given := study.next_assignment(store, rater.id, time.time(), 600.0):
        row = study.RatingRow(0, given.slots[0].stimulus_id, "overall_quality", 3.0)
        answer = study.Answer(key=given.id, elapsed=2.0, ratings=[row])
        assert study.submit(store, rater.id, given.id, answer, time.time()) == "stored"


if __name__ == "__main__":
    url, study_id, *tokens = sys.argv[1:]
    with open_store(url) as opened, ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda token: take_study(opened, study_id, token), tokens))
