"""The paper's tables and Figure 3, from plan files to tables of results; see README.md."""
