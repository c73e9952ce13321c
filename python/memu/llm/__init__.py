"""Names of memU 1.x for what watches calls to models; it is in ``memu.workflow.llm_call``."""
