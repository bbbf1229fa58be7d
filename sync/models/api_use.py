"""How much of its limits a token has used up."""

from django.db import models

from sync.models.sender import ApiToken


class ApiUse(models.Model):
    """What a token has asked for in one minute: counted in the database, as several processes answer."""

    token = models.OneToOneField(ApiToken, on_delete=models.CASCADE, primary_key=True, related_name="use")
    # Since 1970.
    minute = models.BigIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    tasks = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.requests}, {self.tasks}"
