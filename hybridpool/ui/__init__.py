"""The only part that knows Streamlit: state, words, cached computation, controls and panels."""
