# What the pipeline may run on a host, and nothing else: one document with typed parameters.

resource "aws_ssm_document" "deploy" {
  name            = "${var.name}-deploy"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Brings one tier of ${var.name} to a version; back to the former one when it does not become ready."
    parameters = {
      Tier     = { type = "String", allowedValues = ["edge", "ui", "app", "ml"] }
      Version  = { type = "String", allowedPattern = "^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.]+)?$" }
      Registry = { type = "String", allowedPattern = "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com$" }
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "deploy"
      inputs = {
        timeoutSeconds = "900"
        runCommand = concat(
          ["export TIER='{{ Tier }}' LIGHTBOX_VERSION='{{ Version }}' LIGHTBOX_REGISTRY='{{ Registry }}/${var.name}'"],
          split("\n", var.deploy_script),
        )
      }
    }]
  })
}
