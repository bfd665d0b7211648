"""What text without labels, older models and files of some types only bring: every row some steps and a training."""
