"""Models in processes of their own, and what decides which job runs next."""
