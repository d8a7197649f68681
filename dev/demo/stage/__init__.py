"""What the demo and the end-to-end tests put into a real cluster: a namespace, MLflow, and the data by HTTP.

Builders return documents and do nothing. All pods run the image of the Jobs, which has all that they need,
and keep to the restricted Pod Security profile.
"""

from demo.stage.documents import (
    DATA_SERVICE,
    DATA_URL,
    MLFLOW_PORT,
    MLFLOW_SERVICE,
    MLFLOW_URI,
    OWNER_LABEL,
    stage,
    stage_namespace,
)

__all__ = [
    "DATA_SERVICE",
    "DATA_URL",
    "MLFLOW_PORT",
    "MLFLOW_SERVICE",
    "MLFLOW_URI",
    "OWNER_LABEL",
    "stage",
    "stage_namespace",
]
