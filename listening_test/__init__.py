"""Listening tests: study design, the Streamlit app, ratings and screening."""
