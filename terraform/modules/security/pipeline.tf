# GitHub Actions signs in with its own short-lived token (OIDC): no key is stored anywhere.

locals {
  with_pipeline = var.github_repository == "" ? 0 : 1
  github        = "token.actions.githubusercontent.com"
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = local.with_pipeline
  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "pipeline" {
  count = local.with_pipeline
  name  = "${var.name}-pipeline"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github[0].arn }
      # The environment is guarded by reviewers in GitHub; a branch name alone would let every pusher deploy.
      Condition = { StringEquals = {
        "${local.github}:aud" = "sts.amazonaws.com"
        "${local.github}:sub" = "repo:${var.github_repository}:environment:production"
      } }
    }]
  })
}

resource "aws_iam_role_policy" "pipeline" {
  count = local.with_pipeline
  name  = "push-and-deploy"
  role  = aws_iam_role.pipeline[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "SignInToEcr", Effect = "Allow", Resource = "*", Action = ["ecr:GetAuthorizationToken"] },
      { Sid = "PushImages", Effect = "Allow", Resource = local.arn.images, Action = [
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:DescribeImages",
      ] },
      { Sid = "OnlyTheDeployDocument", Effect = "Allow", Action = ["ssm:SendCommand"], Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:document/${var.name}-deploy" },
      { Sid = "OnThisPortalsHosts", Effect = "Allow", Action = ["ssm:SendCommand"], Resource = "arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*",
      Condition = { StringEquals = { "ssm:resourceTag/Portal" = var.name } } },
      { Sid = "ReadTheOutcome", Effect = "Allow", Resource = "*", Action = ["ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"] },
    ]
  })
}
