"""JupyterLab, which ends with the program that started it."""

from jupyterlab.labapp import main
from supervise import supervised

with supervised():
    main()
