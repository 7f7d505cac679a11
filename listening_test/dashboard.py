"""The dashboard: Streamlit runs this script; it reads the store and changes no rating."""

from __future__ import annotations

import streamlit as st

from concours.eval.store import study
from concours.listening_test import watching
from concours.listening_test.live import served
from concours.listening_test.status import status_of

REFRESH_SECONDS = 5


def main() -> None:
    live = served()
    st.set_page_config(page_title="Concours", layout="wide")
    if watching.needs_login:
        _ask_for_login()
    st.title(live.name)
    _figures()


def _ask_for_login() -> None:
    """Stops the script for whoever has not logged in, or is not on the list."""
    if not st.user.is_logged_in:
        st.title("Concours")
        st.button("Log in", on_click=st.login)
        st.stop()
    email = str(st.user.get("email") or "")
    if not watching.may_watch(email, st.user.get("email_verified") is not False):
        st.title("Concours")
        st.error(f"{email or 'This account'} may not see this dashboard.")
        st.button("Log out", on_click=st.logout)
        st.stop()


@st.fragment(run_every=REFRESH_SECONDS)
def _figures() -> None:
    live = served()
    try:
        found = status_of(live)
    except study.StoreBusy as error:
        st.warning(str(error))
        return
    counts = found.counts
    people = counts.raters
    columns = st.columns(5)
    columns[0].metric("Status", found.status)
    columns[1].metric("Raters finished", people.get("completed", 0), f"of {sum(people.values())}")
    columns[2].metric("Answers", counts.n_ratings + counts.n_preferences)
    columns[3].metric("Given to each trial", f"{counts.trial_given[0]}-{counts.trial_given[1]}")
    columns[4].metric("Withdrawn", counts.n_erasures)
    st.subheader("Means so far")
    st.caption(
        "95% confidence sequences over the raters who finished, each on its own: they hold at "
        "every look, so you may stop when they are narrow enough."
    )
    st.dataframe(
        [
            {
                "system": s.system,
                "dimension": s.dimension,
                "mean": round(s.interval.mean, 3),
                "low": round(s.interval.low, 3),
                "high": round(s.interval.high, 3),
                "raters finished": s.interval.n,
                "raters": s.n_raters,
                "ratings": s.n_ratings,
            }
            for s in found.systems
        ],
        hide_index=True,
    )
    if found.differences:
        st.subheader("Differences so far")
        st.caption("The same for differences within raters: a 0 outside says which one is better.")
        st.dataframe(
            [
                {
                    "systems": f"{d.first} - {d.second}",
                    "dimension": d.dimension,
                    "mean": round(d.interval.mean, 3),
                    "low": round(d.interval.low, 3),
                    "high": round(d.interval.high, 3),
                    "raters finished": d.interval.n,
                }
                for d in found.differences
            ],
            hide_index=True,
        )
    st.subheader("Screening")
    st.caption("Flags never delete a rating; an analysis applies them or not.")
    st.dataframe(
        [{"rater": f"r{n}", "flagged by": ", ".join(r)} for n, r in sorted(found.flagged.items())],
        hide_index=True,
    )


if __name__ == "__main__":
    main()
