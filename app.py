"""Inside LLMs. Start it with `streamlit run app.py`; the pages are listed in widgets/catalog.py."""

from pages.widgets.navigation import run_app

run_app()
