"""JupyterLab."""

from jupyterlab.labapp import main

main()
