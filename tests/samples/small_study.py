"""A small study in a store, and raters who take it."""

import time

from concours.eval.store import Store, study

N_TRIALS = 6


def make_study(store: Store, blocks: int, name: str = "pilot", replace: bool = False) -> str:
    clips = [
        study.NewStimulus(
            id=study.new_id(),
            system="ab"[i % 2],
            item=f"item{i // 2}",
            role="test",
            source=f"{i}.wav",
            clip_sha256=f"clip{i}",
            data=b"RIFF" + bytes([i]),
            lufs=-23.0,
            gain_db=0.0,
            seconds=1.0,
        )
        for i in range(N_TRIALS)
    ]
    return study.create_study(
        store,
        name=name,
        method="mos",
        config={"name": name},
        protocol_version=1,
        seed=1,
        now=1000.0,
        systems={"a": "a/", "b": "b/"},
        items={f"item{i}": "" for i in range(N_TRIALS // 2)},
        stimuli=clips,
        trials=[
            study.NewTrial(i, "test", clip.item, ((clip.id, "A"),)) for i, clip in enumerate(clips)
        ],
        blocks=[
            study.NewBlock(b, tuple(((i + b) % N_TRIALS, (0,)) for i in range(N_TRIALS)))
            for b in range(blocks)
        ],
        replace=replace,
    )


def answer_for(given: study.Assignment, key: str, value: float = 3.0) -> study.Answer:
    return study.Answer(
        key=key,
        elapsed=2.0,
        ratings=[study.RatingRow(0, given.slots[0].stimulus_id, "overall_quality", value)],
    )


def take_study(store: Store, study_id: str, token: str) -> int:
    rater = study.join_by_token(store, study_id, token)
    assert rater is not None
    assert study.claim_block(store, study_id, rater.id)
    done = 0
    while given := study.next_assignment(store, rater.id, time.time(), 600.0):
        result = study.submit(store, rater.id, given.id, answer_for(given, given.id), time.time())
        assert result == "stored"
        done += 1
    return done


def join(store: Store, study_id: str) -> study.Rater:
    (token,) = study.invite_raters(store, study_id, 1, 1000.0)
    rater = study.join_by_token(store, study_id, token)
    assert rater is not None
    return rater


def opened(store: Store, study_id: str, rater: study.Rater) -> study.Assignment:
    assert study.claim_block(store, study_id, rater.id)
    given = study.next_assignment(store, rater.id, 1001.0, 600.0)
    assert given is not None
    return given
