"""Authorization: what the endpoint, the resume path and the application's answers share.

The request is judged (`checks`), what it still needs of the person is found (`need`), and what was approved is issued
(`response_type`) and sent back (`response_mode`).
"""
