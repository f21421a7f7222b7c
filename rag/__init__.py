"""Lingxue: retrieval, cited answers and drafting over school-policy documents."""
