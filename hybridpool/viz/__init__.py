"""Numbers in, pictures out. Knows neither torch nor Streamlit."""
