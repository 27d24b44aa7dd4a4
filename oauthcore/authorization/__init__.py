"""Authorization: what the endpoint, the resume path and the application's answers share.

The request is checked (`checks`, a table), the next step for the user is chosen (`next_step`), and what was approved is
issued (`approve`) and sent back (`response_mode`).
"""
